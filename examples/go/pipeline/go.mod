module golanes.example/pipeline

go 1.19
