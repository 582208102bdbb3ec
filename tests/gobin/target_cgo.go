// With this file, target.go is linked with C code.
package main

/*
static int twice(int n) { return 2 * n; }
*/
import "C"

func init() { C.twice(21) }
