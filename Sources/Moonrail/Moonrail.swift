// Everything below the Lua face under one name: `import Moonrail`.
@_exported public import Autograd
@_exported public import Basics
@_exported public import Compression
@_exported public import Datasets
@_exported public import Decomposition
@_exported public import Execution
@_exported public import Formats
@_exported public import Graphs
@_exported public import Interchange
@_exported public import Operations
@_exported public import Tensors
@_exported public import Training
