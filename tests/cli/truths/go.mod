module truths

go 1.21
