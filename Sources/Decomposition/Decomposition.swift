// Decomposition
