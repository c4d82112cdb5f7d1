"""Shapes and types that ONNX Runtime gives for one-operator models, measured at four sets of sizes: operators.json.

pip install onnx==1.23.2 onnxruntime==1.32.0 numpy; python operators.py. Where ONNX Runtime lacks a kernel, onnx's reference
evaluator answers. A case is [operator, attributes, inputs, outputs, opset, domain]; an input is None, (type, shape with
symbols) or a constant.
"""
import json
import os

import numpy as np
import onnx
import onnxruntime as ort
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

F='float32'; I='int64'
C=[]
def c(op, ins, attrs={}, nout=1, opset=18, domain=''):
    C.append(dict(op=op, ins=ins, attrs=attrs, nout=nout, opset=opset, domain=domain))
def k(dtype, v): return ['const', dtype, list(np.array(v).shape), np.array(v).ravel().tolist()]
def t(*s, d=F): return [d, list(s)]
X=t('n',3,'h','w')
W=lambda o,i,*ks: t(o,i,*ks)
c('Conv',[X,W(8,3,3,3)],dict(pads=[1,1,1,1],strides=[2,2]))
c('Conv',[X,W(8,3,1,1)],dict(strides=[2,2]))
c('Conv',[X,W(8,3,5,3)],dict(dilations=[2,1],strides=[3,2],pads=[0,1,2,1]))
c('Conv',[X,W(8,3,4,4),t(8)],dict(auto_pad='SAME_UPPER',strides=[2,3]))
c('Conv',[X,W(8,3,3,3)],dict(auto_pad='SAME_LOWER',strides=[2,2]))
c('Conv',[X,W(8,3,3,3)],dict(auto_pad='VALID',strides=[2,2]))
c('Conv',[t('n',4,'l'),W(8,1,3)],dict(group=4))
c('Conv',[t('n',2,'d','h','w'),W(4,2,3,3,3)],dict(pads=[1]*6,strides=[1,2,2]))
c('ConvTranspose',[X,W(3,4,2,2)],dict(strides=[2,2]))
c('ConvTranspose',[X,W(3,4,3,3)],dict(strides=[2,3],pads=[1,0,1,2],output_padding=[1,2],dilations=[2,1]))
c('ConvTranspose',[X,W(3,4,3,3)],dict(strides=[2,2],auto_pad='SAME_UPPER'))
c('ConvTranspose',[X,W(3,4,3,3)],dict(strides=[2,2],auto_pad='SAME_LOWER'))
c('ConvTranspose',[t('n',3,10,11),W(3,4,3,3)],dict(strides=[2,2],output_shape=[20,23]))
c('ConvTranspose',[t('n',4,'l'),W(4,1,3)],dict(group=2))
c('ConvTranspose',[t('n',2,'d','h','w'),W(2,2,2,2,2)],dict(strides=[2,2,2]))
for ceil in (0,1):
    for kk,s,p in ((3,2,0),(2,2,1),(3,2,1),(2,3,1),(2,4,0)):
        c('MaxPool',[X],dict(kernel_shape=[kk,kk],strides=[s,s],pads=[p]*4,ceil_mode=ceil),2)
        c('AveragePool',[X],dict(kernel_shape=[kk,kk],strides=[s,s],pads=[p]*4,ceil_mode=ceil),1,19)
c('MaxPool',[X],dict(kernel_shape=[3,2],dilations=[2,3]))
c('AveragePool',[X],dict(kernel_shape=[3,2],dilations=[2,3],ceil_mode=1,strides=[2,2]),1,19)
c('MaxPool',[X],dict(kernel_shape=[3,3],strides=[2,2],auto_pad='SAME_UPPER'))
c('AveragePool',[X],dict(kernel_shape=[3,3],strides=[2,2],auto_pad='VALID'))
c('MaxPool',[t('n',3,'l')],dict(kernel_shape=[2],strides=[2]))
c('LpPool',[X],dict(kernel_shape=[3,3],strides=[2,2],p=2))
for g in ('GlobalAveragePool','GlobalMaxPool','GlobalLpPool'): c(g,[X])
c('Gemm',[t('n',5),t(5,7)]); c('Gemm',[t(5,'n'),t(7,5),t(7)],dict(transA=1,transB=1))
c('MatMul',[t('n',2,'s',4),t(4,6)]); c('MatMul',[t('n',1,'s',4),t(3,4,6)]); c('MatMul',[t(4),t('n',4,6)]); c('MatMul',[t('n',5,4),t(4)]); c('MatMul',[t(4),t(4)])
c('Einsum',[t('n',3,4),t('n',4,5)],dict(equation='bij,bjk->bik'))
c('Einsum',[t('n',2,3,4),t(4,5)],dict(equation='...ij,jk->...ik'))
c('Einsum',[t('n',3,4),t(4,5)],dict(equation='bij,jk'))
c('Einsum',[t('n',3,4),t('n',4,5)],dict(equation='...ij,...jk'))
c('Einsum',[t('n','h',4),t('n','w',4)],dict(equation='bhc,bwc->bhw'))
for op in ('Add','Sub','Mul','Div','Pow','Min','Max','Sum','Mean','PRelu'): c(op,[t('n',3,1,'w'),t(3,'h',1)] if op!='PRelu' else [X,t(3,1,1)])
c('Mod',[t('n',3),t(3)],dict(fmod=1)); c('Mod',[t('n',3,d=I),k(I,[5,3,2])])
c('Where',[t('n',1,d='bool'),t(3,1,1),t('h')]); c('Where',[t(1,d='bool'),t('n',3),k(F,0.5)])
for op in ('Equal','Greater','GreaterOrEqual','Less','LessOrEqual'): c(op,[t('n',3),t(3)])
for op in ('And','Or','Xor'): c(op,[t('n',1,d='bool'),t('h',d='bool')])
c('Not',[t('n',3,d='bool')])
c('BitShift',[t('n',3,d='uint8'),t(3,d='uint8')],dict(direction='LEFT'))
for op in 'Neg Abs Sqrt Reciprocal Exp Log Sin Cos Tan Erf Sign Floor Ceil Round Relu LeakyRelu Elu Selu Celu ThresholdedRelu Softplus Softsign Sigmoid Tanh HardSigmoid HardSwish Mish Softmax LogSoftmax Hardmax IsNaN IsInf LpNormalization MeanVarianceNormalization Asin Acosh'.split(): c(op,[X])
c('Gelu',[X],opset=20)
c('LRN',[X],dict(size=3))
c('Clip',[X,k(F,0.),k(F,6.)]); c('Clip',[X],dict(min=0.,max=6.),opset=7)
c('BatchNormalization',[X]+[t(3)]*4); c('BatchNormalization',[X]+[t(3)]*4,dict(training_mode=1),3)
c('InstanceNormalization',[X,t(3),t(3)]); c('GroupNormalization',[t('n',4,'h','w'),t(4),t(4)],dict(num_groups=2),opset=21)
c('LayerNormalization',[t('n','s',8),t(8)],{},3); c('LayerNormalization',[t('n','s',8),t('s',8)],dict(axis=1),3)
c('RMSNormalization',[t('n','s',8),t(8)],{},opset=23)
c('SkipLayerNormalization',[t('n','s',8),t('n','s',8),t(8),t(8)],{},domain='com.microsoft')
for r in ('ReduceMean','ReduceSum','ReduceProd','ReduceMax','ReduceMin','ReduceL1','ReduceL2','ReduceLogSum','ReduceLogSumExp','ReduceSumSquare'):
    c(r,[X,k(I,[2,-1])]); c(r,[X],dict(axes=[1],keepdims=0),opset=11)
c('ReduceMean',[X]); c('ReduceMean',[X],dict(keepdims=0)); c('ReduceSum',[X,k(I,[])],dict(noop_with_empty_axes=1))
c('ReduceSum',[X,k(I,[])]) 
for r in ('ArgMax','ArgMin'): c(r,[X],dict(axis=1)); c(r,[X],dict(axis=-1,keepdims=0))
c('Resize',[X,None,k(F,[1,1,2,2.])]); c('Resize',[X,None,k(F,[1,1,.5,.3])]); c('Resize',[t('n',3,7,9),None,k(F,[1,1,.6,1.7])])
c('Resize',[t('n',3,7,9),None,None,k(I,[14,5])],dict(axes=[2,3])); c('Resize',[t(2,3,7,9),None,None,k(I,[20,20])],dict(axes=[2,3],keep_aspect_ratio_policy='not_larger'))
c('Resize',[t(2,3,7,9),None,None,k(I,[20,20])],dict(axes=[2,3],keep_aspect_ratio_policy='not_smaller'))
c('Resize',[X,k(F,[1,1,2,2.])],opset=10); c('Upsample',[X,k(F,[1,1,2,3.])],opset=9); c('Upsample',[X],dict(scales=[1.,1,2,3]),opset=7)
c('GridSample',[X,t('n','a','b',2)],opset=20); c('AffineGrid',[t(2,2,3),k(I,[2,3,5,6])],opset=20)
c('AffineGrid',[t(2,3,4),k(I,[2,3,4,5,6])],opset=20)
c('Pad',[X,k(I,[0,0,1,2,0,0,3,4])]); c('Pad',[X,k(I,[1,2,3,4]),None,k(I,[-1,2])]); c('Pad',[X],dict(pads=[0,0,1,1,0,0,1,1]),opset=7)
c('Pad',[t('n',3,9,9),k(I,[0,0,-1,2,0,0,-3,4])])
B=2**63-1
for st,en,ax,sp in (([1],[B],[1],[1]),([0],[-1],[2],[1]),([0],[2],[2],[1]),([-3],[B],[3],[1]),([B],[-B],[2],[-1]),([0],[2**31-1],[3],[2]),([1],[2**31-1],[3],[2]),([1,2],[-1,-2],[2,3],[1,1]),([5],[2],[3],[1]),([-1],[-4],[3],[-1]),([3],[1000],[2],[3]),([-1],[-2**63],[2],[-2])):
    c('Slice',[X,k(I,st),k(I,en),k(I,ax),k(I,sp)])
c('Slice',[X],dict(starts=[0,1],ends=[2,2]),opset=9) 
c('Split',[X,k(I,[1,2])],dict(axis=1),2); c('Split',[t('n',7)],dict(axis=-1,num_outputs=3),3); c('Split',[t('n',6)],dict(axis=1),3,opset=13); c('Split',[t('n',6)],dict(axis=1,split=[4,2]),2,opset=11)
c('Split',[t('n','h')],dict(axis=1,num_outputs=2),2)
c('Concat',[X,t('n',5,'h','w')],dict(axis=1)); c('Concat',[t('n',3,'h'),t('n',3,'w')],dict(axis=-1))
c('Gather',[X,k(I,[0,2])],dict(axis=1)); c('Gather',[X,k(I,1)],dict(axis=-3)); c('Gather',[t(10,4),t('n','s',d=I)],dict(axis=0))
c('GatherElements',[t('n',4),t('n',2,d=I)],dict(axis=1)); c('GatherND',[t('n',4,5),k(I,[[0,1],[0,2]])]); c('GatherND',[t(2,4,5),k(I,[[1],[2]])],dict(batch_dims=1))
c('ScatterElements',[t('n',4),k(I,[[0]]),k(F,[[1.]])],dict(axis=1)); c('ScatterND',[t('n',4),k(I,[[0]]),t(1,4)]); c('Scatter',[t(4,4),k(I,[[0]]),k(F,[[1.]])],opset=9)
c('Transpose',[X],dict(perm=[0,2,3,1])); c('Transpose',[X])
c('Reshape',[X,k(I,[0,-1])]); c('Reshape',[X,k(I,[0,3,-1])]); c('Reshape',[X,k(I,[-1])]); c('Reshape',[t('n',12,'h'),k(I,[0,3,4,-1])]); c('Reshape',[t(0,3),k(I,[3,0])],dict(allowzero=1)) 
c('Reshape',[t('n','h',6),k(I,[-1,2])])
for a in (0,1,2,-1): c('Flatten',[X],dict(axis=a))
c('Squeeze',[t('n',1,3,1),k(I,[1,-1])]); c('Squeeze',[t(1,2,1,3)]); c('Squeeze',[t('n',1,3)],dict(axes=[1]),opset=11)
c('Unsqueeze',[t('n',3),k(I,[0,-1])]); c('Unsqueeze',[t('n',3)],dict(axes=[2]),opset=11)
c('Expand',[t('n',1,3),k(I,[4,1])]); c('Expand',[t(3),k(I,[2,1])]); c('Tile',[t('n',3),k(I,[2,3])])
c('Identity',[X]); c('Dropout',[X],{},2,13); c('Cast',[X],dict(to=7)); c('CastLike',[X,t(1,d='int32')],opset=19)
c('DepthToSpace',[t('n',8,'h','w')],dict(blocksize=2)); c('SpaceToDepth',[t('n',3,4,6)],dict(blocksize=2))
c('CumSum',[X,k(I,1)]); c('Trilu',[X]); c('TopK',[t('n',9),k(I,[4])],{},2); c('TopK',[t('n',9)],dict(k=4,axis=1),2,9)
for o in (dict(q=t('n',4,'s',8),k_=t('n',2,'u',8),v=t('n',2,'u',6),a={}),dict(q=t('n','s',32),k_=t('n','u',16),v=t('n','u',12),a=dict(q_num_heads=4,kv_num_heads=2))):
    c('Attention',[o['q'],o['k_'],o['v']],o['a'],1,23)
    past=[t('n',2,5,8),t('n',2,5,6)]
    c('Attention',[o['q'],o['k_'],o['v'],None]+past,o['a'],4,23)
c('RotaryEmbedding',[t('n',2,'s',8),t('n','s',4),t('n','s',4)],opset=23)
c('Shape',[X]); c('Shape',[X],dict(start=1,end=-1)); c('Shape',[X],dict(start=-2)); c('Size',[X])
c('ConstantOfShape',[k(I,[2,3])]); c('Range',[k(I,2),k(I,11),k(I,3)]); c('Range',[k(F,2),k(F,0),k(F,-.5)])
c('NonZero',[X]); c('NonZero',[k(I,[[0,1],[2,0]])]); c('OneHot',[t('n',2,d=I),k(I,[5]),k(F,[0.,1.])]); c('OneHot',[t('n',2,d=I),k(I,5),k(F,[0.,1.])],dict(axis=1)); c('EyeLike',[t('n',4)],dict(dtype=11))
c('QuantizeLinear',[X,k(F,.1),k('int8',0)]); c('QuantizeLinear',[X,k(F,.1)]); c('DequantizeLinear',[t('n',3,d='int8'),k(F,.1)]); c('DynamicQuantizeLinear',[X],{},3)
c('RandomNormalLike',[X]); c('RandomUniformLike',[X],dict(dtype=11)); c('RandomNormal',[],dict(shape=[2,3])); c('Bernoulli',[X])
c('Col2Im',[t('n',12,20),k(I,[5,6]),k(I,[2,2])])
for d,nd in (('forward',1),('bidirectional',2)):
    c('LSTM',[t('s','n',3),t(nd,16,3),t(nd,16,4)],dict(hidden_size=4,direction=d),3,14); c('GRU',[t('s','n',3),t(nd,12,3),t(nd,12,4)],dict(hidden_size=4,direction=d),2,14); c('RNN',[t('s','n',3),t(nd,4,3),t(nd,4,4)],dict(hidden_size=4,direction=d),2,14)
c('NonMaxSuppression',[t(1,'b',4),t(1,2,'b')]); c('Unique',[t('b')],{},4); c('Unique',[t('n',3)],dict(axis=1),4); c('Compress',[t('n',3),k('bool',[True,False,True])],dict(axis=1)); c('Compress',[t('n',3),k('bool',[True,False,True])]); c('Det',[t('n',3,3)])
c('ConvInteger',[t('n',3,'h','w',d='uint8'),t(4,3,3,3,d='uint8')]); c('MatMulInteger',[t('n',3,d='uint8'),t(3,4,d='uint8')])
c('RoiAlign',[X,t(1,4),k(I,[0])],dict(output_height=4,output_width=5),opset=16)
c('DFT',[t('n','h',1)]); c('DFT',[t('n','h','w',2)],dict(axis=2,inverse=1)); c('DFT',[t('n','h',1)],dict(onesided=1)); c('DFT',[t('n','h',1),k(I,6)],dict(onesided=1))
c('DFT',[t('n','h',2),None,k(I,-2)],opset=20); c('DFT',[t('n','h',2),k(I,5)],dict(inverse=1,onesided=1),opset=20); c('DFT',[t('n','h',2)],dict(inverse=1,onesided=1),opset=20)
c('STFT',[t('n','h',1),k(I,2),t(5)]); c('STFT',[t('n','h',1),k(I,3),None,k(I,4)],dict(onesided=0))
for op in ('HannWindow','HammingWindow','BlackmanWindow'): c(op,[k(I,7)])
c('MelWeightMatrix',[k(I,8),k(I,16),k(I,8000),k(F,0),k(F,4000)])
c('DeformConv',[t('n',2,6,7),t(4,2,3,2),t('n',12,3,4)],dict(strides=[2,2],pads=[1,0,0,1]),opset=19)
c('MaxUnpool',[t('n',2,'h','w'),t('n',2,'h','w',d=I)],dict(kernel_shape=[2,3],strides=[2,3])); c('MaxUnpool',[t('n',1,2,2),t('n',1,2,2,d=I),k(I,[3,1,5,5])],dict(kernel_shape=[2,2],strides=[2,2])) 
c('MaxRoiPool',[t('n',3,'h','w'),t(2,5)],dict(pooled_shape=[2,3]))
c('CenterCropPad',[t('n',3,'h','w'),k(I,[10,20])],dict(axes=[2,-1])); c('CenterCropPad',[t('n',3),k(I,[2,5])])
c('CumProd',[X,k(I,1)],opset=26); c('BitCast',[X],dict(to=6),opset=26)
c('NegativeLogLikelihoodLoss',[t('n',3,'h'),t('n','h',d=I)]); c('NegativeLogLikelihoodLoss',[t('n',3,'h'),t('n','h',d=I)],dict(reduction='none')); c('SoftmaxCrossEntropyLoss',[t('n',3),t('n',d=I)],{},2)
c('Shrink',[X]); c('ReduceMax',[t('n','h',d=I),k(I,[1])])
M='com.microsoft'; Q=lambda *s: t(*s,d='uint8'); S=[k(F,.1),k('uint8',0)]
c('FusedMatMul',[t('n','h',3),t('n',4,'h')],dict(transA=1,transB=1),domain=M); c('MatMulIntegerToFloat',[Q('n',3),Q(3,4),k(F,.1),k(F,.1)],domain=M)
c('MatMulNBits',[t('n','s',32),Q(5,1,16),t(5)],dict(N=5,K=32,bits=4,block_size=32),domain=M); c('DynamicQuantizeMatMul',[t('n','s',3),Q(3,4),k(F,.1)],domain=M)
c('Attention',[t('n','s',8),t(8,24),t(24)],dict(num_heads=2),domain=M); c('Attention',[t('n','s',8),t(8,20),t(20)],dict(num_heads=2,qkv_hidden_sizes=[8,8,4]),domain=M)
c('MultiHeadAttention',[t('n','s',8),t('n','u',8),t('n','u',6)],dict(num_heads=2),domain=M); c('QAttention',[Q('n','s',8),Q(8,24),t(24),k(F,.1),k(F,.1)],dict(num_heads=2),domain=M)
c('QGemm',[Q('n',3),*S,Q(4,3),*S],dict(transB=1),domain=M); c('QGemm',[Q('n',3),*S,Q(3,4),*S,None,*S],domain=M)
c('QLinearAdd',[Q('n',3,'h'),*S,Q(3,1),*S,*S],domain=M); c('QLinearSigmoid',[Q('n',3),*S,*S],domain=M)
c('QLinearGlobalAveragePool',[Q('n',3,'h','w'),*S,*S],dict(channels_last=0),domain=M); c('QLinearGlobalAveragePool',[Q('n','h','w',3),*S,*S],dict(channels_last=1),domain=M)
c('QLinearConcat',[*S,Q('n',3,'h'),*S,Q('n',5,'h'),*S],dict(axis=1),domain=M)

SIZES = [
    dict(n=2, h=13, w=17, d=7, l=12, s=6, u=9, a=4, b=5),
    dict(n=1, h=8, w=11, d=4, l=7, s=1, u=2, a=1, b=2),
    dict(n=3, h=10, w=9, d=5, l=9, s=3, u=4, a=2, b=3),
    dict(n=2, h=32, w=30, d=5, l=9, s=3, u=4, a=2, b=3),
]
TYPES = {"float32": 1, "int64": 7, "bool": 9, "uint8": 2, "int8": 3, "int32": 6, "float64": 11}


def build(case):
    inputs, constants, names = [], [], []
    for i, given in enumerate(case["ins"]):
        names.append("" if given is None else f"i{i}")
        if given is None:
            continue
        if given[0] == "const":
            constants.append(numpy_helper.from_array(np.array(given[3], dtype=given[1]).reshape(given[2]), f"i{i}"))
        else:
            inputs.append(helper.make_tensor_value_info(f"i{i}", TYPES[given[0]], given[1]))
    outputs = [f"o{j}" for j in range(case["nout"])]
    node = helper.make_node(case["op"], names, outputs, domain=case["domain"], **case["attrs"])
    info = [helper.make_empty_tensor_value_info(name) for name in outputs]
    opsets = {"": case["opset"], **({case["domain"]: 1} if case["domain"] else {})}
    return helper.make_model(
        helper.make_graph([node], "g", inputs, info, constants),
        opset_imports=[helper.make_opsetid(*pair) for pair in opsets.items()],
        ir_version=10,
    )


def run(case, sizes, rng):
    feeds = {}
    for i, given in enumerate(case["ins"]):
        if given and given[0] != "const":
            shape = [sizes.get(dim, dim) for dim in given[1]]
            feeds[f"i{i}"] = (rng.normal(size=shape) if given[0] == "float32" else rng.integers(0, 2, shape)).astype(given[0])
    model = build(case)
    try:
        options = ort.SessionOptions()
        options.log_severity_level = 4
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"]).run(None, feeds)
    except Exception:
        return ReferenceEvaluator(model).run(None, feeds)


rng = np.random.default_rng(0)
lines = []
for case in C:
    measured = [[np.asarray(value) for value in run(case, sizes, rng)] for sizes in SIZES]
    case["dtypes"] = [str(value.dtype) for value in measured[0]]
    case["measured"] = [[list(value.shape) for value in values] for values in measured]
    lines.append(json.dumps(case, separators=(",", ":"), ensure_ascii=False))
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "operators.json"), "w") as file:
    head = {"program": "onnxruntime", "version": ort.__version__, "onnx": onnx.__version__, "sizes": SIZES}
    file.write(json.dumps(head)[:-1] + ', "cases": [\n' + ",\n".join(lines) + "\n]}\n")
