import Foundation
import SwiftProtobuf

/// Events as bytes.
package enum EventCoding {
    /// The version that readers know this form by.
    package static let fileVersion = "brain.Event:2"

    package static func encode(_ event: Tensorboard_Event) throws -> [UInt8] { try event.serializedBytes() }

    /// Numbers by tag at one step.
    package static func scalars(_ values: [(tag: String, value: Float)], step: Int, seconds: Double) -> Tensorboard_Event {
        var event = Tensorboard_Event()
        event.wallTime = seconds
        event.step = Int64(step)
        event.summary.value = values.map { entry in
            var value = Tensorboard_Summary.Value()
            value.tag = entry.tag
            value.simpleValue = entry.value
            return value
        }
        return event
    }

    /// A setting of an experiment.
    package enum Setting {
        case number(Double)
        case text(String)
        case flag(Bool)
    }

    /// The events that tell the HPARAMS page about one run: its settings, and that it succeeded.
    package static func session(
        _ settings: [(name: String, value: Setting)], group: String, seconds: Double
    ) throws -> [Tensorboard_Event] {
        var start = Tensorboard_HParamsPluginData()
        start.sessionStartInfo.groupName = group
        start.sessionStartInfo.startTimeSecs = seconds
        for setting in settings {
            var value = Google_Protobuf_Value()
            switch setting.value {
            case .number(let number): value.numberValue = number
            case .text(let text): value.stringValue = text
            case .flag(let flag): value.boolValue = flag
            }
            start.sessionStartInfo.hparams[setting.name] = value
        }
        var end = Tensorboard_HParamsPluginData()
        end.sessionEndInfo.status = 1
        end.sessionEndInfo.endTimeSecs = seconds
        return [
            try plugin("_hparams_/session_start_info", start, seconds), try plugin("_hparams_/session_end_info", end, seconds),
        ]
    }

    private static func plugin(
        _ tag: String, _ data: Tensorboard_HParamsPluginData, _ seconds: Double
    ) throws -> Tensorboard_Event {
        var value = Tensorboard_Summary.Value()
        value.tag = tag
        value.metadata.pluginData.pluginName = "hparams"
        value.metadata.pluginData.content = try data.serializedData()
        // A summary must have a value; this one stands for none.
        value.tensor.dtype = 1
        value.tensor.tensorShape.dim = [.with { $0.size = 0 }]
        var event = Tensorboard_Event()
        event.wallTime = seconds
        event.summary.value = [value]
        return event
    }
}
