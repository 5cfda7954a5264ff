import Testing

/// `model.nodes` and `model:edit`.
@Suite(.serialized) struct EditTests {
    static let specs: [(String, String)] = [
        (
            "nodes are rows",
            """
            local model = net()
            local conv = model.nodes["stage1.block1.conv1"]
            assert(conv.op == "conv2d" and conv.shape[1] == 16 and conv.shape[3] == 8 and conv.params == 9 * 256)
            assert(conv.attributes.stride[2] == 1 and conv.attributes.groups == 1 and conv.parameters[1] == "stage1.block1.conv1.weight")
            assert(model.nodes[1].inputs[1] == "images" and conv.origin == nil)
            local total = 0
            for _, node in ipairs(model.nodes) do total = total + node.params end
            assert(total == model.cost.params)
            assert(tostring(model.nodes):find "global_average_pool" or tostring(model.nodes):find "pool")
            local graph = mr.nn.graph { image = { 2, 3 }, build = function(x) return mr.cat({ x:permute(1, 3, 2), x:permute(1, 3, 2) }, 3) end }
            assert(graph.nodes[1].attributes.order[2] == 3 and graph.nodes[3].attributes.dim == 3)
            """
        ),
        (
            "nothing changed is the same model",
            """
            local model, x = net(), mr.randn(2, 1, 8, 8)
            local copy = model:edit {}
            assert((copy(x) - model(x)):norm() == 0 and #copy.nodes == #model.nodes and copy.name == model.name)
            assert(#copy.parameter_names == #model.parameter_names)
            """
        ),
        (
            "a layer takes the place and the name",
            """
            local model, x = net(), mr.randn(2, 1, 8, 8)
            model:note("kept", 7)
            local other = model:edit { fc = mr.nn.linear { features = 5 } }
            assert(other(x).shape[2] == 5 and other:parameter "fc.weight".shape[1] == 5 and model(x).shape[2] == 2)
            local weight = "stage2.block1.conv1.weight"
            assert((other:parameter(weight) - model:parameter(weight)):norm() == 0 and other:note "kept" == 7)
            local named = model:edit({ fc = mr.nn.linear { features = 3, name = "head" } }, { name = "renamed" })
            local last = named.nodes[#named.nodes]
            assert(last.name == "head" and last.parameters[1] == "head.weight" and named.name == "renamed")
            """
        ),
        (
            "patterns change all that fit but what has a change of its own",
            """
            local model = net()
            local other = model:edit { ["*relu*"] = mr.nn.silu(), ["stage1.*relu1"] = nil, ["stem.relu"] = nil }
            local silu, relu = 0, 0
            for _, node in ipairs(other.nodes) do
                if node.op == "swish" then silu = silu + 1 end
                if node.op == "relu" then relu = relu + 1 end
            end
            assert(silu == 7 and relu == 0, silu)
            local first
            for _, node in ipairs(model.nodes) do if node.op == "relu" then first = first or node.name end end
            local mixed = model:edit { ["*relu*"] = mr.nn.silu(), [first] = mr.nn.tanh() }
            assert(mixed.nodes[first].op == "tanh")
            """
        ),
        (
            "functions can keep the node",
            """
            local model, x = net(), mr.randn(2, 1, 8, 8)
            local doubled = model:edit { fc = function(v, keep) return keep(v) * 2 end }
            near((doubled(x) - model(x) * 2):norm(), 0, 1e-5)
            assert(doubled.nodes.fc and doubled.nodes["fc.scale1"])
            local same = model:edit { fc = function(_, keep) return keep() end }
            assert((same(x) - model(x)):norm() == 0)
            local block = model:edit { fc = mr.nn.block { mr.nn.linear { features = 4 }, mr.nn.relu(), mr.nn.linear { features = 2 } } }
            assert(block.layers["fc.fc1"] and block(x).shape[2] == 2)
            """
        ),
        (
            "false lets the input through",
            """
            local nn = mr.nn
            local model = nn.sequential { image = { 4 }, nn.relu(), nn.linear { features = 3 }, nn.softmax() }
            local logits = model:edit { softmax1 = false }
            local x = mr.randn(2, 4)
            near((logits(x):softmax() - model(x)):norm(), 0)
            assert(#logits.nodes == 2)
            """
        ),
        (
            "other results cut the rest off",
            """
            local model, x = net(), mr.randn(2, 1, 8, 8)
            local value = model.nodes.fc.inputs[1]
            local trunk = model:edit({}, { outputs = { value } })
            near((trunk(x) - model:features(x, { value })[value]):norm(), 0, 1e-5)
            assert(trunk.cost.params == model.cost.params - model.nodes.fc.params)
            local a, b = model:edit({}, { outputs = { "fc", value } })(x)
            assert(a.shape[2] == 2 and b.shape[2] == trunk(x).shape[2])
            """
        ),
        (
            "what was edited trains, compresses and comes back from its file",
            """
            local model, data = net(), tiny()
            local other = model:edit { fc = mr.nn.linear { features = 2 }, ["*relu*"] = mr.nn.leaky_relu { slope = 0.1 } }
            local history = other:fit(data, { epochs = 6, optimizer = mr.optim.sgd { lr = 0.02, momentum = 0.9 } })
            assert(history[6].loss < history[1].loss)
            local small = other:compress(mr.plan(other, { policy = "uniform", budget = { params = 0.5 } }))
            assert(small.cost.params <= 0.5 * other.cost.params)
            local name = os.tmpname()
            local path = name .. ".safetensors"
            other:save(path)
            near((mr.load(path)(mr.ones(1, 1, 8, 8)) - other(mr.ones(1, 1, 8, 8))):norm(), 0, 1e-5)
            os.remove(path)
            os.remove(name)
            """
        ),
        (
            "a chain that loses a link is no chain any more",
            """
            local model = net()
            local small = model:compress(mr.plan(model, { policy = "uniform", budget = { params = 0.5 } }))
            local link
            for _, node in ipairs(small.nodes) do if node.origin then link = node break end end
            local broken = small:edit { [link.name] = function(v, keep) return keep(v):relu() end }
            for _, node in ipairs(broken.nodes) do assert(node.origin ~= link.origin, node.name) end
            assert(broken:recompose().cost.params > broken.cost.params)
            """
        ),
        (
            "parameters that two nodes share stay shared",
            """
            local nn = mr.nn
            local model = nn.graph { image = { 3 }, build = function(x)
                local w = nn.parameter { value = mr.tensor { 2, 3, 4 }, name = "w" }(x)
                return (x * w):relu() * w
            end }
            local other = model:edit { relu1 = mr.nn.tanh() }
            assert(#other.parameter_names == 1)
            near(other(mr.ones(1, 3))[1][2], 3 * (1 - 2 / (math.exp(6) + 1)), 1e-4)
            """
        ),
    ]

    @Test(arguments: specs) func spec(_ name: String, _ script: String) throws {
        try run(script)
    }

    static let errors: [(String, String)] = [
        ("net():edit(3)", "Model:edit: argument 1 (changes) must be a table, got a number"),
        ("net():edit { fcc = mr.nn.relu() }", "Model:edit: no node is called 'fcc' (did you mean 'fc'?)"),
        ("net():edit { ['*nothing*'] = mr.nn.relu() }", "no node is called '*nothing*'"),
        ("net():edit { mr.nn.relu() }", "changes are given by the names of nodes, got a number"),
        ("net():edit { fc = 3 }", "the change of 'fc' must be a layer, a block, a function or false, got a number"),
        ("net():edit { fc = true }", "must be a layer, a block, a function or false, got a boolean"),
        ("net():edit { fc = function() end }", "'fc' makes 1 value(s), but its change gave 0"),
        ("net():edit { fc = function() return 3 end }", "the change of 'fc' must give a value, got a number"),
        ("net():edit { ['f*'] = mr.nn.relu(), ['*c'] = mr.nn.relu() }", "both fit node 'fc'"),
        ("net():edit { ['stage1.block1.add'] = false }", "reads 2 values, so false does not say which"),
        ("net():edit { fc = function(x, keep) return keep(x, x) end }", "layer fc takes 1 value, but got 2"),
        ("net():edit { fc = function(x, keep) return mr.nn.add()(keep(x), keep(x)) end }", "the name 'fc' is given twice"),
        ("net():edit { ['stage1.block1.conv1'] = mr.nn.conv { channels = 3 } }", "resnet8 › stage1.block1.bn1"),
        ("net():edit({}, { outputs = { 'fcc' } })", "has no 'fcc' (did you mean 'fc'?)"),
        ("net():edit({}, { outputs = {} })", "option 'outputs' must name at least one value"),
        ("net():edit({}, { output = {} })", "unknown option 'output' (did you mean 'outputs'?)"),
        ("local k; net():edit { fc = function(x, keep) k = keep; return keep(x) end }; k()", "is finished"),
    ]

    @Test(arguments: errors) func mistakesAreSentences(_ script: String, _ expected: String) {
        let got = message(of: script)
        #expect(got.contains(expected), "\(got)")
    }
}
