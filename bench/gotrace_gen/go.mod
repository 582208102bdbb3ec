module golanes.bench/gotrace_gen

go 1.21
