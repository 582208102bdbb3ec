// A program that passes numbers along, says at last what they sum up to, and ends with a status of its own:
//
//	ends N STATUS
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
)

func main() {
	n, _ := strconv.Atoi(os.Args[1])
	status, _ := strconv.Atoi(os.Args[2])
	fmt.Println("began")
	in, out := make(chan int), make(chan int, 8)
	for i := 0; i < 4; i++ {
		go func() {
			for v := range in {
				out <- 2 * v
			}
		}()
	}
	go func() {
		for i := 0; i < n; i++ {
			in <- i
			if i%100 == 0 {
				runtime.GC()
			}
		}
		close(in)
	}()
	sum := 0
	for i := 0; i < n; i++ {
		sum += <-out
	}
	fmt.Println("the sum is", sum)
	os.Exit(status)
}
