module github.com/jkstack/jkframe/v2/bench

go 1.25.0

require github.com/jkstack/jkframe/v2 v2.0.0

replace github.com/jkstack/jkframe/v2 => ../
