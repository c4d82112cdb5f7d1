"""The models, by family. Each file fills the table of `registry`."""
