import Foundation
import Moonrail

/// Every type that `import Moonrail` brings, named in a file that imports Foundation too: a name that both have does not compile
/// here. A test holds the list to the sources, so that a type becomes public on purpose.
func exportedTypes() -> [Any.Type] {
    // It cannot be copied, so it is not `Any`.
    _ = ProgressReport.self
    return [
        // Basics
        Cancellation.self, ComputeContext.self, (any Failure).self, FileFailure.self, Interrupted.self,
        LocatedFailure.self, (any ProgressReporter).self, ProgressSink.self, RandomSource.self,
        // Compression
        BlockDistillation.self, Budget.self, CanonicalPolyadicFamily.self, ChannelStatisticsMatching.self, CompressionFailure.self,
        Compressor.self, ConvolutionTrain.self, DecomposableLayer.self, DecomposedModel.self, FactorStep.self,
        FactorizableLayer.self, (any Factorization).self, FactorizationCatalog.self, FactorizationError.self,
        (any FactorizationFamily).self, FormatChoice.self, InputStatistics.self, LWIQScorer.self, LatencyMeter.self,
        LayerChain.self, LayerScore.self, LayerScores.self, LeastSquaresReconstruction.self, LinearPair.self,
        ModelQuality.self, Plan.self, PlanPortfolio.self, PlanRow.self, Planner.self, Policy.self, PortfolioCandidate.self,
        PortfolioChoice.self, PortfolioEntry.self, ProxyHead.self, QualityJudge.self,
        Recomposition.self, RepairPipeline.self, RepairStep.self, SensitivityAnalysis.self, SensitivityCurves.self,
        StepOutcome.self, TensorTrainMatrixFamily.self, TensorizedChannels.self, Tucker2.self, VariationalRank.self,
        // Datasets
        ArrayDataset.self, Augmentation.self, Batch.self, BatchIterator.self, BatchLoader.self, CIFAR.self,
        DatasetFailure.self, FashionMNIST.self, ImageBatches.self, ImageDataset.self, ImageFolder.self,
        ImageResizing.self, MNISTFamily.self,
        // Execution
        BatchNormRecalibration.self, ExecutionFailure.self, InferenceEngine.self, InferenceProfile.self,
        InferenceProgram.self, Latency.self, Precision.self, TapeExecutor.self,
        // Graphs
        (any Architecture).self, CIFARResNet.self, Cost.self, CostModel.self, Fusion.self, Graph.self,
        GraphBuilder.self, GraphFailure.self, GraphInput.self, KnownArchitectures.self, LeNet5.self, Liveness.self,
        MobileNetV2.self, MultilayerPerceptron.self, Node.self, NodeCost.self, NormParameters.self, Origin.self,
        ParameterTable.self, ResNet.self, ShapeInference.self, Shortcuts.self, Source.self, VGG.self, Verifier.self,
        VisionTransformer.self, WeightedLayer.self, WeightedLayers.self,
        // Interchange
        GraphDocument.self, InterchangeFailure.self, ModelFile.self, ModelFormat.self, ModelInspection.self, ONNXFile.self,
        ONNXInspection.self, StateDict.self, TorchModule.self,
        // Tensors
        ConvolutionGeometry.self, DType.self, IdleThreads.self, MemoryLedger.self, PoolingGeometry.self,
        SVDMethod.self, SVDTruncation.self, Shape.self, SingularSpectrum.self, SingularValueDecomposition.self,
        Tensor.self, (any TensorElement).self, TensorFailure.self, TensorScalar.self, Threads.self, TruncatedSVD.self,
    ]
}
