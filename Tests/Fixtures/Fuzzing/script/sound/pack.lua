return string.unpack("<i4", string.pack("<i4z", 5, "x")), load("return ...")(1), select(-1, 1, 2), table.concat({ 1, 2 }, "-"), 7 // 0.0, 1 << 63
