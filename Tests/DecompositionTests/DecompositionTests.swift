// DecompositionTests
