module probe_subjects

go 1.18
