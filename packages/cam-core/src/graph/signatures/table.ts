/**
 * Written by table.py from the schemas of onnx 1.23.2 and onnxruntime 1.32.0; never edited. A row:
 *
 *   operator, opset since when, inputs (how many must be there, how many can), outputs, attributes with their types (! required)
 *
 * Inputs "1+2": one must be there, and behind the first two as many as wanted, each of which must be there, too.
 */
export const table = `
Abs 6 1 1
Acos 7 1 1
Acosh 9 1 1
Add 7 2 1
AffineGrid 20 2 1 align_corners:i
And 7 2 1
ArgMax 1 1 1 axis:i keepdims:i
ArgMax 12 1 1 axis:i keepdims:i select_last_index:i
ArgMin 1 1 1 axis:i keepdims:i
ArgMin 12 1 1 axis:i keepdims:i select_last_index:i
Asin 7 1 1
Asinh 9 1 1
Atan 7 1 1
Atanh 9 1 1
Attention 23 3-6 1-4 is_causal:i kv_num_heads:i q_num_heads:i qk_matmul_output_mode:i scale:f softcap:f softmax_precision:i
Attention 24 3-7 1-4 is_causal:i kv_num_heads:i q_num_heads:i qk_matmul_output_mode:i scale:f softcap:f softmax_precision:i
Attention 25 3-7 1-4 is_causal:i kv_num_heads:i left_window_size:i q_num_heads:i qk_matmul_output_mode:i right_window_size:i scale:f softcap:f softmax_precision:i
AveragePool 7 1 1 auto_pad:s count_include_pad:i kernel_shape!:I pads:I strides:I
AveragePool 10 1 1 auto_pad:s ceil_mode:i count_include_pad:i kernel_shape!:I pads:I strides:I
AveragePool 19 1 1 auto_pad:s ceil_mode:i count_include_pad:i dilations:I kernel_shape!:I pads:I strides:I
BatchNormalization 7 5 1-5 epsilon:f momentum:f spatial:i
BatchNormalization 9 5 1-5 epsilon:f momentum:f
BatchNormalization 14 5 1-3 epsilon:f momentum:f training_mode:i
Bernoulli 15 1 1 dtype:i seed:f
BitCast 26 1 1 to!:i
BitShift 11 2 1 direction!:s
BitwiseAnd 18 2 1
BitwiseNot 18 1 1
BitwiseOr 18 2 1
BitwiseXor 18 2 1
BlackmanWindow 17 1 1 output_datatype:i periodic:i
Cast 6 1 1 to!:i
Cast 19 1 1 saturate:i to!:i
Cast 24 1 1 round_mode:s saturate:i to!:i
CastLike 15 2 1
CastLike 19 2 1 saturate:i
CastLike 24 2 1 round_mode:s saturate:i
CausalConvWithState 27 2-4 2 activation:s
Ceil 6 1 1
Celu 12 1 1 alpha:f
CenterCropPad 18 2 1 axes:I
Clip 6 1 1 max:f min:f
Clip 11 1-3 1
Col2Im 18 3 1 dilations:I pads:I strides:I
Compress 9 2 1 axis:i
Concat 4 1+0 1 axis!:i
ConcatFromSequence 11 1 1 axis!:i new_axis:i
Constant 1 0 1 value!:t
Constant 11 0 1 sparse_value:x value:t
Constant 12 0 1 sparse_value:x value:t value_float:f value_floats:F value_int:i value_ints:I value_string:s value_strings:S
ConstantOfShape 9 1 1 value:t
Conv 1 2-3 1 auto_pad:s dilations:I group:i kernel_shape:I pads:I strides:I
ConvInteger 10 2-4 1 auto_pad:s dilations:I group:i kernel_shape:I pads:I strides:I
ConvTranspose 1 2-3 1 auto_pad:s dilations:I group:i kernel_shape:I output_padding:I output_shape:I pads:I strides:I
Cos 7 1 1
Cosh 9 1 1
CumProd 26 2 1 exclusive:i reverse:i
CumSum 11 2 1 exclusive:i reverse:i
DFT 17 1-2 1 axis:i inverse:i onesided:i
DFT 20 1-3 1 inverse:i onesided:i
DeformConv 19 3-5 1 dilations:I group:i kernel_shape:I offset_group:i pads:I strides:I
DepthToSpace 1 1 1 blocksize!:i
DepthToSpace 11 1 1 blocksize!:i mode:s
DequantizeLinear 10 2-3 1
DequantizeLinear 13 2-3 1 axis:i
DequantizeLinear 21 2-3 1 axis:i block_size:i
DequantizeLinear 23 2-3 1 axis:i block_size:i output_dtype:i
Det 11 1 1
Div 7 2 1
Dropout 7 1 1-2 ratio:f
Dropout 12 1-3 1-2 seed:i
DynamicQuantizeLinear 11 1 3
Einsum 12 1+0 1 equation!:s
Elu 6 1 1 alpha:f
Equal 7 2 1
Erf 9 1 1
Exp 6 1 1
Expand 8 2 1
EyeLike 9 1 1 dtype:i k:i
Flatten 1 1 1 axis:i
Floor 6 1 1
GRU 7 3-6 0-2 activation_alpha:F activation_beta:F activations:S clip:f direction:s hidden_size:i linear_before_reset:i
GRU 14 3-6 0-2 activation_alpha:F activation_beta:F activations:S clip:f direction:s hidden_size:i layout:i linear_before_reset:i
Gather 1 2 1 axis:i
GatherElements 11 2 1 axis:i
GatherND 11 2 1
GatherND 12 2 1 batch_dims:i
Gelu 20 1 1 approximate:s
Gemm 7 3 1 alpha:f beta:f transA:i transB:i
Gemm 11 2-3 1 alpha:f beta:f transA:i transB:i
GlobalAveragePool 1 1 1
GlobalLpPool 2 1 1 p:i
GlobalMaxPool 1 1 1
Greater 7 2 1
GreaterOrEqual 12 2 1
GridSample 16 2 1 align_corners:i mode:s padding_mode:s
GroupNormalization 21 3 1 epsilon:f num_groups!:i stash_type:i
HammingWindow 17 1 1 output_datatype:i periodic:i
HannWindow 17 1 1 output_datatype:i periodic:i
HardSigmoid 6 1 1 alpha:f beta:f
HardSwish 14 1 1
Hardmax 1 1 1 axis:i
Identity 1 1 1
If 1 1 1+0 else_branch!:g then_branch!:g
ImageDecoder 20 1 1 pixel_format:s
InstanceNormalization 6 3 1 epsilon:f
IsInf 10 1 1 detect_negative:i detect_positive:i
IsNaN 9 1 1
LRN 1 1 1 alpha:f beta:f bias:f size!:i
LSTM 7 3-8 0-3 activation_alpha:F activation_beta:F activations:S clip:f direction:s hidden_size:i input_forget:i
LSTM 14 3-8 0-3 activation_alpha:F activation_beta:F activations:S clip:f direction:s hidden_size:i input_forget:i layout:i
LayerNormalization 17 2-3 1-3 axis:i epsilon:f stash_type:i
LeakyRelu 6 1 1 alpha:f
Less 7 2 1
LessOrEqual 12 2 1
LinearAttention 27 3-6 2 chunk_size:i kv_num_heads!:i q_num_heads!:i scale:f update_rule:s
Log 6 1 1
LogSoftmax 1 1 1 axis:i
Loop 1 0+2 1+0 body!:g
LpNormalization 1 1 1 axis:i p:i
LpPool 2 1 1 auto_pad:s kernel_shape!:I p:i pads:I strides:I
LpPool 18 1 1 auto_pad:s ceil_mode:i dilations:I kernel_shape!:I p:i pads:I strides:I
MatMul 1 2 1
MatMulInteger 10 2-4 1
Max 6 1+0 1
MaxPool 1 1 1 auto_pad:s kernel_shape!:I pads:I strides:I
MaxPool 8 1 1-2 auto_pad:s kernel_shape!:I pads:I storage_order:i strides:I
MaxPool 10 1 1-2 auto_pad:s ceil_mode:i dilations:I kernel_shape!:I pads:I storage_order:i strides:I
MaxRoiPool 1 2 1 pooled_shape!:I spatial_scale:f
MaxUnpool 9 2-3 1 kernel_shape!:I pads:I strides:I
Mean 6 1+0 1
MeanVarianceNormalization 9 1 1 axes:I
MelWeightMatrix 17 5 1 output_datatype:i
Min 6 1+0 1
Mish 18 1 1
Mod 10 2 1 fmod:i
Mul 7 2 1
Multinomial 7 1 1 dtype:i sample_size:i seed:f
Neg 6 1 1
NegativeLogLikelihoodLoss 12 2-3 1 ignore_index:i reduction:s
NonMaxSuppression 10 2-5 1 center_point_box:i
NonZero 9 1 1
Not 1 1 1
OneHot 9 3 1 axis:i
Optional 15 0-1 1 type:p
OptionalGetElement 15 1 1
OptionalHasElement 15 1 1
OptionalHasElement 18 0-1 1
Or 7 2 1
PRelu 7 2 1
Pad 2 1 1 mode:s pads!:I value:f
Pad 11 2-3 1 mode:s
Pad 18 2-4 1 mode:s
Pow 7 2 1
QLinearConv 10 8-9 1 auto_pad:s dilations:I group:i kernel_shape:I pads:I strides:I
QLinearMatMul 10 8 1
QuantizeLinear 10 2-3 1
QuantizeLinear 13 2-3 1 axis:i
QuantizeLinear 19 2-3 1 axis:i saturate:i
QuantizeLinear 21 2-3 1 axis:i block_size:i output_dtype:i saturate:i
QuantizeLinear 23 2-3 1 axis:i block_size:i output_dtype:i precision:i saturate:i
RMSNormalization 23 2 1 axis:i epsilon:f stash_type:i
RNN 7 3-6 0-2 activation_alpha:F activation_beta:F activations:S clip:f direction:s hidden_size:i
RNN 14 3-6 0-2 activation_alpha:F activation_beta:F activations:S clip:f direction:s hidden_size:i layout:i
RandomNormal 1 0 1 dtype:i mean:f scale:f seed:f shape!:I
RandomNormalLike 1 1 1 dtype:i mean:f scale:f seed:f
RandomUniform 1 0 1 dtype:i high:f low:f seed:f shape!:I
RandomUniformLike 1 1 1 dtype:i high:f low:f seed:f
Range 11 3 1
Range 27 3 1 stash_type:i
Reciprocal 6 1 1
ReduceL1 1 1 1 axes:I keepdims:i
ReduceL1 18 1-2 1 keepdims:i noop_with_empty_axes:i
ReduceL2 1 1 1 axes:I keepdims:i
ReduceL2 18 1-2 1 keepdims:i noop_with_empty_axes:i
ReduceLogSum 1 1 1 axes:I keepdims:i
ReduceLogSum 18 1-2 1 keepdims:i noop_with_empty_axes:i
ReduceLogSumExp 1 1 1 axes:I keepdims:i
ReduceLogSumExp 18 1-2 1 keepdims:i noop_with_empty_axes:i
ReduceMax 1 1 1 axes:I keepdims:i
ReduceMax 18 1-2 1 keepdims:i noop_with_empty_axes:i
ReduceMean 1 1 1 axes:I keepdims:i
ReduceMean 18 1-2 1 keepdims:i noop_with_empty_axes:i
ReduceMin 1 1 1 axes:I keepdims:i
ReduceMin 18 1-2 1 keepdims:i noop_with_empty_axes:i
ReduceProd 1 1 1 axes:I keepdims:i
ReduceProd 18 1-2 1 keepdims:i noop_with_empty_axes:i
ReduceSum 1 1 1 axes:I keepdims:i
ReduceSum 13 1-2 1 keepdims:i noop_with_empty_axes:i
ReduceSumSquare 1 1 1 axes:I keepdims:i
ReduceSumSquare 18 1-2 1 keepdims:i noop_with_empty_axes:i
RegexFullMatch 20 1 1 pattern:s
Relu 6 1 1
Reshape 5 2 1
Reshape 14 2 1 allowzero:i
Resize 10 2 1 mode:s
Resize 11 1-4 1 coordinate_transformation_mode:s cubic_coeff_a:f exclude_outside:i extrapolation_value:f mode:s nearest_mode:s
Resize 18 1-4 1 antialias:i axes:I coordinate_transformation_mode:s cubic_coeff_a:f exclude_outside:i extrapolation_value:f keep_aspect_ratio_policy:s mode:s nearest_mode:s
ReverseSequence 10 2 1 batch_axis:i time_axis:i
RoiAlign 10 3 1 mode:s output_height:i output_width:i sampling_ratio:i spatial_scale:f
RoiAlign 16 3 1 coordinate_transformation_mode:s mode:s output_height:i output_width:i sampling_ratio:i spatial_scale:f
RotaryEmbedding 23 3-4 1 interleaved:i num_heads:i rotary_embedding_dim:i
Round 11 1 1
STFT 17 2-4 1 onesided:i
Scan 8 0+1 1+0 body!:g directions:I num_scan_inputs!:i
Scan 9 1+0 1+0 body!:g num_scan_inputs!:i scan_input_axes:I scan_input_directions:I scan_output_axes:I scan_output_directions:I
Scatter 9 3 1 axis:i
ScatterElements 11 3 1 axis:i
ScatterElements 16 3 1 axis:i reduction:s
ScatterND 11 3 1
ScatterND 16 3 1 reduction:s
Selu 6 1 1 alpha:f gamma:f
SequenceAt 11 2 1
SequenceConstruct 11 1+0 1
SequenceEmpty 11 0 1 dtype:i
SequenceErase 11 1-2 1
SequenceInsert 11 2-3 1
SequenceLength 11 1 1
SequenceMap 17 1+1 1+0 body!:g
Shape 1 1 1
Shape 15 1 1 end:i start:i
Shrink 9 1 1 bias:f lambd:f
Sigmoid 6 1 1
Sign 9 1 1
Sin 7 1 1
Sinh 9 1 1
Size 1 1 1
Slice 1 1 1 axes:I ends!:I starts!:I
Slice 10 3-5 1
Softmax 1 1 1 axis:i
SoftmaxCrossEntropyLoss 12 2-3 1-2 ignore_index:i reduction:s
Softplus 1 1 1
Softsign 1 1 1
SpaceToDepth 1 1 1 blocksize!:i
SpaceToDepth 28 1 1 blocksize!:i mode:s
Split 2 1 1+0 axis:i split:I
Split 13 1-2 1+0 axis:i
Split 18 1-2 1+0 axis:i num_outputs:i
SplitToSequence 11 1-2 1 axis:i keepdims:i
Sqrt 6 1 1
Squeeze 1 1 1 axes:I
Squeeze 13 1-2 1
StringConcat 20 2 1
StringNormalizer 10 1 1 case_change_action:s is_case_sensitive:i locale:s stopwords:S
StringSplit 20 1 2 delimiter:s maxsplit:i
Sub 7 2 1
Sum 6 1+0 1
SwiGLU 28 2 1 alpha:f
Swish 24 1 1 alpha:f
Tan 7 1 1
Tanh 6 1 1
TensorScatter 24 2-3 1 axis:i mode:s
TfIdfVectorizer 9 1 1 max_gram_length!:i max_skip_count!:i min_gram_length!:i mode!:s ngram_counts!:I ngram_indexes!:I pool_int64s:I pool_strings:S weights:F
ThresholdedRelu 10 1 1 alpha:f
Tile 6 2 1
TopK 1 1 2 axis:i k!:i
TopK 10 2 2 axis:i
TopK 11 2 2 axis:i largest:i sorted:i
Transpose 1 1 1 perm:I
Trilu 14 1-2 1 upper:i
Unique 11 1 1-4 axis:i sorted:i
Unsqueeze 1 1 1 axes!:I
Unsqueeze 13 2 1
Upsample 7 1 1 mode:s scales!:F
Upsample 9 2 1 mode:s
Where 9 3 1
Xor 7 2 1
com.microsoft:Attention 1 2-7 1-2 do_rotary:i mask_filter_value:f num_heads!:i past_present_share_buffer:i qkv_hidden_sizes:I rotary_embedding_dim:i scale:f unidirectional:i
com.microsoft:AttnLSTM 1 3-14 0-3 activation_alpha:F activation_beta:F activations:S clip:f direction:s hidden_size:i input_forget:i
com.microsoft:BeamSearch 1 4-12 1-3 decoder!:g decoder_start_token_id:i early_stopping:i encoder:g eos_token_id!:i init_decoder:g model_type:i no_repeat_ngram_size:i pad_token_id!:i vocab_size:i
com.microsoft:BiasAdd 1 3 1
com.microsoft:BiasDropout 1 2-5 1-2 seed:i
com.microsoft:BiasGelu 1 2 1
com.microsoft:BiasSoftmax 1 2 1 axis:i is_inner_broadcast!:i
com.microsoft:BiasSplitGelu 1 2 1
com.microsoft:BifurcationDetector 1 3-4 2 max_ngram_size:i min_ngram_size:i
com.microsoft:BitmaskBiasDropout 1 2-5 1-2 seed:i
com.microsoft:BitmaskDropout 1 1-3 1-2 seed:i
com.microsoft:BranchwiseRMSNorm 1 1-2 1 epsilon:f num_branches:i
com.microsoft:CDist 1 2 1 metric:s
com.microsoft:CausalConvWithState 1 2-4 2-3 activation:s channels_last:i dilation:i input_channel_offset:i input_channels:i ndim:i state_channels_last:i state_length:i state_update_capacity:i state_window:i
com.microsoft:ComplexMul 1 2 1
com.microsoft:ComplexMulConj 1 2 1
com.microsoft:ConvStateReplay 1 4 1
com.microsoft:ConvTransposeWithDynamicPads 1 2-4 1 auto_pad:s dilations:I group:i kernel_shape:I output_padding:I strides:I
com.microsoft:CropAndResize 1 4 1 extrapolation_value:f mode:s
com.microsoft:DecoderAttention 1 9-12 1-3 mask_filter_value:f num_heads!:i
com.microsoft:DecoderMaskedMultiHeadAttention 1 1-11 1-4 mask_filter_value:f num_heads!:i output_qk:i past_present_share_buffer:i scale:f
com.microsoft:DecoderMaskedSelfAttention 1 5-9 2 do_rotary:i mask_filter_value:f num_heads!:i past_present_share_buffer:i scale:f
com.microsoft:DequantizeBFP 1 3 1 bfp_type!:i block_dim:i dtype:i
com.microsoft:DequantizeLinear 1 2-3 1 axis:i
com.microsoft:DequantizeWithOrder 1 2 1 order_input!:i order_output!:i to!:i
com.microsoft:DynamicQuantizeLSTM 1 7-12 0-3 activation_alpha:F activation_beta:F activations:S clip:f direction:s hidden_size:i input_forget:i
com.microsoft:DynamicQuantizeMatMul 1 3-5 1
com.microsoft:DynamicSparseAttention 1 5-20 1-4 attention_mode:s auxiliary_kv_shared:i do_rotary:i is_causal:i kv_num_heads!:i local_window_size:i num_heads!:i output_bf16:i qk_norm_epsilon:f rotary_interleaved:i rotary_offset:i scale:f selected_kv_source:s smooth_softmax:i
com.microsoft:DynamicTimeWarping 1 1 1
com.microsoft:EPContext 1 0+0 1+0 embed_mode:i ep_cache_context:s ep_sdk_version:s hardware_architecture:s main_context:i max_size:i notes:s onnx_model_filename:s partition_name:s source:s
com.microsoft:EmbedLayerNormalization 1 5-9 1-3 epsilon:f mask_index_type:i
com.microsoft:EngramGate 1 5-6 1-2 epsilon:f
com.microsoft:ExpandDims 1 2 1
com.microsoft:FastGelu 1 1-2 1
com.microsoft:FusedConv 1 2-4 1 activation:s activation_params:F auto_pad:s dilations:I group:i kernel_shape:I pads:I strides:I
com.microsoft:FusedGemm 1 2-3 1 activation:s activation_alpha:f activation_beta:f activation_gamma:f alpha:f beta:f transA:i transB:i
com.microsoft:FusedMatMul 1 2 1 alpha:f transA:i transB:i transBatchA:i transBatchB:i
com.microsoft:FusedMatMulActivation 1 2 1 activation!:s activation_alpha:f activation_axis:i activation_beta:f activation_gamma:f alpha:f transA:i transB:i transBatchA:i transBatchB:i
com.microsoft:GatedAdd 1 3-4 1
com.microsoft:GatedDeltaNet 1 1-11 1-3 beta_activation:s chunk_size:i gate_activation:s gate_lower_bound:f qk_l2_norm:i scale:f state_update_capacity:i update_rule:s
com.microsoft:GatedDeltaNetStateReplay 1 4 1
com.microsoft:GatedRMSNorm 1 3 1 activation:s epsilon:f
com.microsoft:GatedRelativePositionBias 1 6-7 1 num_heads!:i
com.microsoft:GatherBlockQuantized 1 3-4 1 bits:i block_size:i gather_axis:i quantize_axis:i
com.microsoft:GatherND 1 2 1
com.microsoft:GatherPacked 1 2 1 K!:i output_dtype:i packed_type!:i
com.microsoft:Gelu 1 1 1
com.microsoft:GemmFastGelu 1 2-3 1
com.microsoft:GemmFloat8 1 2-6 1 activation:s alpha:f beta:f dtype:i transA:i transB:i
com.microsoft:GemmaRotaryEmbedding 1 5 2
com.microsoft:GreedySearch 1 2-7 1 decoder!:g decoder_start_token_id:i encoder:g eos_token_id!:i init_decoder:g model_type:i no_repeat_ngram_size:i pad_token_id!:i vocab_size:i
com.microsoft:GridSample 1 2 1 align_corners:i mode:s padding_mode:s
com.microsoft:GroupNorm 1 3 1 activation!:i channels_last:i epsilon:f groups!:i
com.microsoft:GroupQueryAttention 1 3-17 1-4 causal:i do_rotary:i k_norm_epsilon:f k_quant_type:s kv_cache_bit_width:i kv_num_heads!:i local_window_size:i num_heads!:i q_norm_epsilon:f qk_norm_epsilon:f qk_output:i rotary_interleaved:i scale:f sliding_window_cache:i smooth_softmax:i softcap:f v_quant_type:s
com.microsoft:HyperConnectionLowRankMix 1 5-7 2-3 epsilon:f gate_div:f gate_mul:f num_branches!:i reduction_scale:f silu_alpha:f
com.microsoft:HyperConnectionPostMix 1 3-4 1 num_branches:i
com.microsoft:HyperConnectionPreMix 1 2 1 num_branches:i reduction_scale:f
com.microsoft:Inverse 1 1 1
com.microsoft:Irfft 1 1 1 normalized:i onesided:i signal_ndim!:i
com.microsoft:IsAllFinite 1 1+0 1 isinf_only:i isnan_only:i
com.microsoft:LinearAttention 1 3-6 2 chunk_size:i kv_num_heads!:i q_num_heads!:i scale:f state_window:i update_rule:s
com.microsoft:LinearAttentionGate 1 3-4 1-2
com.microsoft:LongformerAttention 1 7 1 num_heads!:i window!:i
com.microsoft:MRotaryEmbedding 1 4 1 interleaved:i is_packed_batching:i mrope_layout:i mrope_section!:I num_heads:i rotary_embedding_dim:i scale:f
com.microsoft:Mamba2Verify 1 10 3-5 d_state:i epsilon:f head_dim:i heads!:i n_groups!:i time_step_min:f
com.microsoft:MatMulBlockQuantizedFp4Weight 1 4-6 1 block_size:i
com.microsoft:MatMulBlockQuantizedFp8Weight 1 3-5 1 block_size:i
com.microsoft:MatMulBnb4 1 3 1 K!:i N!:i block_size!:i quant_type!:i training_mode:i transB:i
com.microsoft:MatMulFpQ4 1 3 1 blk_quant_type:i
com.microsoft:MatMulInteger16 1 2 1
com.microsoft:MatMulIntegerToFloat 1 4-7 1
com.microsoft:MatMulNBits 1 3-6 1 K!:i N!:i accuracy_level:i bits:i block_size!:i weight_prepacked:i
com.microsoft:MatMulNBitsMlp 1 5-9 1-2 K!:i N!:i accuracy_level:i activation!:s bits:i block_size!:i epsilon:f
com.microsoft:MatMulNBitsQLoRA 1 7 1 K!:i N!:i accuracy_level:i bits:i block_size:i lora_bits:i lora_block_size:i
com.microsoft:MatMulNBitsQkv 1 8-12 3-4 K!:i Nkv!:i Nq!:i accuracy_level:i bits:i block_size!:i epsilon:f
com.microsoft:MatMulPacked 1 2-3 1 K!:i N!:i activation_type:s packed_type!:i
com.microsoft:MaxpoolWithMask 1 2 1 auto_pad:s kernel_shape:I pads:I storage_order:i strides:I
com.microsoft:MoE 1 4-8 1 activation_alpha:f activation_beta:f activation_type:s k:i normalize_routing_weights:i swiglu_fusion:i swiglu_limit:f swiglu_limit_after_activation:i use_sparse_mixer:i
com.microsoft:MoEGroupRouter 1 2-3 0-3 group_topk:i n_group:i router_sentinel:f top_k!:i topk_group:i
com.microsoft:MoEPacked 1 4-6 1 activation_type:s down_type!:i gate_type!:i k:i normalize_routing_weights:i routed_scaling_factor:f routing_epsilon:f up_type:i
com.microsoft:MulInteger 1 2-4 1
com.microsoft:MultiHeadAttention 1 1-10 1-4 mask_filter_value:f num_heads!:i scale:f unidirectional:i
com.microsoft:MurmurHash3 1 1 1 positive:i seed:i
com.microsoft:NGramHashMapping 1 3-7 1-2 max_ngram_size!:i n_head_per_ngram!:i pad_id!:i reset_on_eos:i
com.microsoft:NGramRepeatBlock 1 2 1 ngram_size!:i
com.microsoft:NhwcConv 1 2-3 1 auto_pad:s dilations:I group:i kernel_shape:I pads:I strides:I
com.microsoft:NhwcFusedConv 1 2-4 1 activation:s activation_params:F auto_pad:s dilations:I group:i kernel_shape:I pads:I strides:I
com.microsoft:NhwcMaxPool 1 1 1 auto_pad:s ceil_mode:i dilations:I kernel_shape!:I pads:I strides:I
com.microsoft:PackedAttention 1 5-6 1 num_heads!:i qkv_hidden_sizes:I scale:f
com.microsoft:PackedMultiHeadAttention 1 3-7 1 mask_filter_value:f num_heads!:i scale:f
com.microsoft:PackedSparseAttentionIndexer 1 10-22 6-9 compress_ratio!:i epsilon:f head_weight_scale:f index_topk:i indexshare_state_policy:s max_output_entries:i policy_mode!:s scale:f state_capacity!:i state_update_capacity:i token_budget:i
com.microsoft:PackedSparseAttentionIndexerMerge 1 3-7 3 max_output_entries!:i policy_mode!:s
com.microsoft:Pad 1 2-3 1 mode:s
com.microsoft:PagedAttention 1 5-17 1-3 do_rotary:i is_causal:i k_cache_dtype:s k_quant_type:s kv_cache_layout:s kv_num_heads!:i local_window_size:i num_heads!:i qk_norm_epsilon:f rotary_interleaved:i rotary_offset:i scale:f softcap:f v_cache_dtype:s v_head_size:i v_quant_type:s
com.microsoft:QAttention 1 5-9 1-2 do_rotary:i mask_filter_value:f num_heads!:i past_present_share_buffer:i scale:f unidirectional:i
com.microsoft:QEmbedLayerNormalization 1 13-18 2 epsilon:f
com.microsoft:QGemm 1 6-9 1 alpha:f transA:i transB:i
com.microsoft:QLinearAdd 1 5-8 1
com.microsoft:QLinearAveragePool 1 3-5 1 auto_pad:s ceil_mode:i channels_last:i count_include_pad:i kernel_shape!:I pads:I strides:I
com.microsoft:QLinearConcat 1 2+2 1 axis!:i
com.microsoft:QLinearConv 1 8-9 1 auto_pad:s channels_last:i dilations:I group:i kernel_shape:I pads:I strides:I
com.microsoft:QLinearGlobalAveragePool 1 5 1 channels_last:i
com.microsoft:QLinearLeakyRelu 1 3-5 1 alpha:f
com.microsoft:QLinearMul 1 5-8 1
com.microsoft:QLinearReduceMean 1 3-5 1 axes!:I keepdims!:i
com.microsoft:QLinearSigmoid 1 3-5 1
com.microsoft:QLinearSoftmax 1 4-5 1 axis:i opset!:i
com.microsoft:QLinearWhere 1 9 1
com.microsoft:QMoE 1 4-21 1 accuracy_level:i activation_alpha:f activation_beta:f activation_type:s block_size:i expert_weight_bits:i fc1_expert_weight_bits:i fc2_expert_weight_bits:i fc3_expert_weight_bits:i k:i normalize_routing_weights:i quant_type:s swiglu_fusion:i swiglu_limit:f swiglu_limit_after_activation:i use_sparse_mixer:i weights_prepacked:i
com.microsoft:QOrderedAttention 1 15-20 1 num_heads!:i order_input!:i order_output!:i order_weight!:i qkv_hidden_sizes:I unidirectional:i
com.microsoft:QOrderedGelu 1 3 1 order_X:i order_Y:i
com.microsoft:QOrderedLayerNormalization 1 4-5 1 axis:i epsilon:f order_X:i order_Y:i
com.microsoft:QOrderedLongformerAttention 1 14 1 num_heads!:i order_global_weight!:i order_input!:i order_output!:i order_weight!:i window!:i
com.microsoft:QOrderedMatMul 1 5-8 1 order_A!:i order_B!:i order_Y!:i
com.microsoft:QuantizeBFP 1 1 3 bfp_type!:i block_dim:i
com.microsoft:QuantizeLinear 1 2-3 1 axis:i
com.microsoft:QuantizeWithOrder 1 2 1 order_input!:i order_output!:i
com.microsoft:QuickGelu 1 1 1 alpha:f
com.microsoft:RMSNormRotary 1 5-6 1-2 epsilon:f flatten_batch:i input_start:i input_width:i output_fp16:i rotary_embedding_dim!:i use_fp32_arithmetic:i
com.microsoft:Range 1 2-3 1
com.microsoft:ReduceSumInteger 1 1 1 axes!:I keepdims!:i
com.microsoft:RelativePositionBias 1 3 1 is_bidirectional:i max_distance!:i
com.microsoft:RemovePadding 1 2 4
com.microsoft:RestorePadding 1 2 1
com.microsoft:Rfft 1 1 1 normalized:i onesided:i signal_ndim:i
com.microsoft:RotaryEmbedding 1 4 1 interleaved:i is_packed_batching:i num_heads:i rotary_embedding_dim:i scale:f
com.microsoft:RouterGateUpProj 1 2 2 activation:s activation_alpha:f activation_beta:f limit:f router_size!:i
com.microsoft:SampleOp 1 1 1
com.microsoft:Sampling 1 2-9 1-2 custom:i decoder!:g decoder_start_token_id:i encoder:g eos_token_id!:i filter_value:f init_decoder:g min_tokens_to_keep:i model_type:i no_repeat_ngram_size:i pad_token_id!:i presence_penalty:f temperature:f top_p:f vocab_size:i
com.microsoft:ScaledSiLU 1 1-2 1 alpha:f
com.microsoft:SkipGroupNorm 1 4-5 1-2 activation!:i channels_last:i epsilon:f groups!:i
com.microsoft:SkipLayerNormalization 1 3-5 1-4 epsilon:f
com.microsoft:SkipSimplifiedLayerNormalization 1 3-4 1-4 epsilon:f
com.microsoft:Snpe 1 1+0 1+0 DLC!:s notes:s snpe_version:s target_device:s
com.microsoft:SparseAttention 1 7-11 3 do_rotary:i kv_num_heads!:i num_heads!:i rotary_interleaved:i scale:f sparse_block_size!:i
com.microsoft:SparseAttentionIndexer 1 6-14 2-3 compress_ratio!:i epsilon:f head_weight_scale:f index_topk:i policy_mode!:s scale:f token_budget:i
com.microsoft:SparsePagedAttention 1 8-22 1-3 attention_mode:s auxiliary_cache_layout:s auxiliary_kv_shared:i do_rotary:i is_causal:i k_quant_type:s kv_num_heads!:i local_window_size:i num_heads!:i qk_norm_epsilon:f rotary_interleaved:i rotary_offset:i scale:f selected_kv_source:s softcap:f v_quant_type:s
com.microsoft:SparseToDenseMatMul 1 2 1 alpha:f transA:i transB:i
com.microsoft:SpeculativePrefixCommit 1 7 3 head_rows:i
com.microsoft:SwiGLU 1 1-2 1 activation_alpha:f activation_beta:f limit:f round_activation:i
com.microsoft:Tokenizer 1 1 1 mark!:i mincharnum!:i pad_value!:s separators:S tokenexp:s
com.microsoft:TorchEmbedding 1 2-4 1
com.microsoft:TransposeMatMul 1 2 1 alpha:f transA:i transB:i
com.microsoft:Trilu 1 1-2 1 upper:i
com.microsoft:UnfoldTensor 1 1 1 dim:i size!:i step:i
com.microsoft:Unique 1 1 3
com.microsoft:VarlenCausalConvWithState 1 4-8 2-3 activation:s delta_offset:i dilation:i group_size:i state_update_capacity:i
com.microsoft:VarlenNGramHashMapping 1 4-10 1-4 max_ngram_size!:i n_head_per_ngram!:i pad_id!:i reset_on_eos:i state_update_capacity:i
com.microsoft:WhisperBeamSearch 1 4-15 1-5 beginning_timestamp_token_id:i decoder!:g decoder_output_cross_qk:i decoder_start_token_id:i early_stopping:i encoder:g eos_token_id!:i init_decoder:g model_type:i no_repeat_ngram_size:i no_speech_token_id:i no_timestamps_token_id:i pad_token_id!:i start_of_lm_token_id:i transcribe_token_id:i translate_token_id:i vocab_size:i
com.microsoft:WordConvEmbedding 1 4 1 char_embedding_size:i conv_window_size:i embedding_size:i
`;
