module cutover/ci/peers

go 1.26.0
