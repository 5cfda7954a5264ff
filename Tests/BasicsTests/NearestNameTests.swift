import Testing

import Basics

@Suite struct NearestNameTests {
    @Test(arguments: [("budgt", "budget"), ("polcy", "policy"), ("epcohs", "epochs")])
    func typoFindsItsName(_ typo: String, _ name: String) {
        #expect(nearestName(to: typo, among: ["budget", "policy", "epochs", "scores"]) == name)
    }

    @Test func farNamesAreNotOffered() {
        #expect(nearestName(to: "xyzzy", among: ["budget", "policy"]) == nil)
    }
}
