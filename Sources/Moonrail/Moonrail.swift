// What the way from a trained model to a smaller one needs, under one name: `import Moonrail`. The modules below it, of which
// programs build networks, training loops and decompositions of their own, are imported by name: `import Operations`.
@_exported public import Basics
@_exported public import Compression
@_exported public import Datasets
@_exported public import Execution
@_exported public import Graphs
@_exported public import Interchange
@_exported public import Tensors

// Notes of a model file are JSON.
@_exported public import struct Formats.JSONObject
@_exported public import enum Formats.JSONValue
