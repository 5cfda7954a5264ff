// Makes a trained model smaller: `SwiftProgram MODEL SHARE OUT`. Names may end in .safetensors or .onnx.
import Foundation
import Moonrail

let arguments = CommandLine.arguments
guard arguments.count == 4, let share = Double(arguments[2]) else {
    print("usage: \(arguments[0]) MODEL SHARE OUT")
    exit(2)
}
let start = Date()

// The pictures that the model is tested on take no part in anything before.
let dense = try ModelFile.read(arguments[1]).graph
let train = try FashionMNIST.load(split: .train)
let test = try FashionMNIST.load(split: .test).prefix(1000).batches()

// Score the layers, and decompose each of them in the formats that take it.
let scores = try LWIQScorer().score(dense, on: train.sample(count: 2000, seed: 1))
let model = try DecomposedModel(dense, formats: "auto")

// Plan ranks for the budget. Rows of a plan can be changed before it is applied.
var planner = Planner(policy: .lwiqEnergy, scores: scores)
planner.frozen = ["conv1"]
let plan = try planner.plan(model, budget: Budget(keeping: share, of: .parameters, in: model))
print(plan)

// Cut, and keep each repair that makes the model better on pictures that it was not fitted to.
let cut = try Compressor.compress(model, plan: plan)
let (fitting, judging) = try train.sample(count: 1024, seed: 2).split(count: 512, seed: 3)
let (fitted, judged) = (try fitting.batches(), try judging.batches())
let judge = try QualityJudge(dense: dense, images: judged.images, labels: judged.labels)
let (small, outcomes) = try RepairPipeline().run(cut, towards: dense, images: fitted.images, judge: judge)
for outcome in outcomes { print("\(outcome.step): \(outcome.isKept ? "kept" : "not kept")") }

// Save the model, read it back, and run both on the test pictures.
try ModelFile(graph: small).write(byEndingOf: arguments[3], version: "1.0")
let tester = try QualityJudge(dense: nil, images: test.images, labels: test.labels)
for graph in [dense, try ModelFile.read(arguments[3]).graph] {
    let accuracy = 100 * (try tester.quality(of: graph).accuracy ?? 0)
    print("\(try CostModel.cost(of: graph).parameterCount) parameters, accuracy \(String(format: "%.1f", accuracy)) %")
}
let logits = try InferenceEngine(small).run([test.images[0]])[0]
print("logits \(logits.shape) after \(Int(Date().timeIntervalSince(start))) s")
