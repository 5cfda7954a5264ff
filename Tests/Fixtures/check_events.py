"""Prints what TensorBoard's own reader finds below a directory, as JSON: scalars by run and tag, settings by run.

    python check_events.py DIRECTORY

Exit status 3 where the pip package tensorboard is missing.
"""
import json
import sys

try:
    from tensorboard.backend.event_processing import event_multiplexer
    from tensorboard.plugins.hparams import plugin_data_pb2
except ImportError:
    sys.exit(3)

multiplexer = event_multiplexer.EventMultiplexer().AddRunsFromDirectory(sys.argv[1])
multiplexer.Reload()
found = {}
for run, tags in multiplexer.Runs().items():
    scalars = {
        tag: [[event.step, event.value] for event in multiplexer.Scalars(run, tag)] for tag in tags["scalars"]
    }
    settings, succeeded = {}, False
    for content in multiplexer.GetAccumulator(run).PluginTagToContent("hparams").values() if "hparams" in str(
        multiplexer.GetAccumulator(run).summary_metadata
    ) else []:
        data = plugin_data_pb2.HParamsPluginData.FromString(content)
        for name, value in data.session_start_info.hparams.items():
            settings[name] = getattr(value, value.WhichOneof("kind"))
        succeeded = succeeded or data.session_end_info.status == 1
    found[run] = {"scalars": scalars, "settings": settings, "succeeded": succeeded}
json.dump(found, sys.stdout)
