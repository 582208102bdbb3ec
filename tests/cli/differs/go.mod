module differs
go 1.21
