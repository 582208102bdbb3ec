// Threads that come and go: in each of so many rounds so many goroutines end with a thread locked to them, which ends with
// them. Says how many sends were done.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"
)

func main() {
	rounds, _ := strconv.Atoi(os.Args[1])
	many, _ := strconv.Atoi(os.Args[2])
	sends := 0
	for i := 0; i < rounds; i++ {
		begin, done := make(chan bool), make(chan int)
		for k := 0; k < many; k++ {
			go func() {
				runtime.LockOSThread()
				<-begin
				time.Sleep(time.Millisecond)
				done <- 1
			}()
		}
		time.Sleep(50 * time.Millisecond)
		close(begin)
		for k := 0; k < many; k++ {
			sends += <-done
		}
		time.Sleep(2 * time.Second)
	}
	fmt.Println("sends", sends)
}
