import Testing

import Basics

/// The memory of a container is that of its control group, whatever the machine has.
@Suite struct MachineMemoryTests {
    private static let version2 = "31 24 0:27 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup rw,nsdelegate\n"
    private static let version1 = """
        33 32 0:30 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct
        36 32 0:33 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory

        """

    private func limit(_ groups: String, _ mounts: String, _ files: [String: String]) -> Int? {
        MachineMemory.controlGroupLimit(groups: groups, mounts: mounts) { files[$0] }
    }

    @Test func theInnermostAndTheOuterGroupsOfVersion2Count() {
        let groups = "0::/user.slice/session.scope\n"
        let root = "/sys/fs/cgroup/user.slice"
        #expect(limit(groups, Self.version2, ["\(root)/session.scope/memory.max": "1000\n", "\(root)/memory.max": "2000\n"]) == 1000)
        #expect(limit(groups, Self.version2, ["\(root)/session.scope/memory.max": "max\n", "\(root)/memory.max": "2000\n"]) == 2000)
        #expect(limit(groups, Self.version2, ["\(root)/session.scope/memory.max": "max\n"]) == nil)
        #expect(limit(groups, Self.version2, [:]) == nil)
    }

    /// With a namespace of its own the container is the root; without one its path is not mounted.
    @Test(arguments: ["0::/\n", "0::/docker/abc\n", "0::/../other\n"]) func containersOfVersion2(_ groups: String) {
        #expect(limit(groups, Self.version2, ["/sys/fs/cgroup/memory.max": "536870912\n"]) == 536_870_912)
    }

    @Test func containersOfVersion1() {
        let groups = "12:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc/inner\n0::/docker/abc\n"
        let place = "/sys/fs/cgroup/memory"
        #expect(limit(groups, Self.version1, ["\(place)/memory.limit_in_bytes": "268435456\n"]) == 268_435_456)
        #expect(
            limit(
                groups, Self.version1,
                [
                    "\(place)/memory.limit_in_bytes": "268435456\n", "\(place)/inner/memory.limit_in_bytes": "1048576\n",
                ]) == 1_048_576)
        // What version 1 writes where there is no limit.
        #expect(limit(groups, Self.version1, ["\(place)/memory.limit_in_bytes": "9223372036854771712\n"]) == nil)
    }

    @Test(arguments: ["", "nonsense", "0::", "::::\n:", "0::/a\n0::/b"]) func textsThatAreNone(_ text: String) {
        #expect(limit(text, text, [:]) == nil)
        #expect(limit(text, Self.version2, ["/sys/fs/cgroup/memory.max": "lots"]) == nil)
    }

    @Test func thisMachineHasSome() {
        #expect(MachineMemory.availableByteCount() >= 64 << 20)
    }
}
