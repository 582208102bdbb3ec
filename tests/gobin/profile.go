// Writes a CPU profile of goroutines that wake each other to the file it is given: what a program that is compiled with it
// inlines into the scheduler.
package main

import (
	"os"
	"runtime/pprof"
	"time"
)

func main() {
	f, err := os.Create(os.Args[1])
	if err != nil {
		panic(err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		panic(err)
	}
	a, b := make(chan int), make(chan int)
	go func() {
		for v := range a {
			b <- v
		}
		close(b)
	}()
	for end := time.Now().Add(1500 * time.Millisecond); time.Now().Before(end); {
		for i := 0; i < 1000; i++ {
			a <- i
			<-b
		}
	}
	close(a)
	pprof.StopCPUProfile()
	f.Close()
}
