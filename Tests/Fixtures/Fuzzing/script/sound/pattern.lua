return ("key = value"):gsub("(%w+) = (%w+)", "%2 = %1"), ("x,y"):find(",", 1, true), utf8.char(233)
