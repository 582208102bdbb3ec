// The ways in which a program comes to send on a closed channel.
package main

import (
	"os"
	"time"
)

//go:noinline
func sender(c chan int) {
	for i := 0; ; i++ {
		c <- i
	}
}

func twoClosers() {
	c := make(chan int)
	for i := 0; i < 2; i++ {
		go func() {
			time.Sleep(time.Millisecond)
			close(c)
		}()
	}
	select {} // nothing that a deferred call wakes: main would end with 0, before the panic is fatal
}

func senderAfterClose() {
	c := make(chan int, 1)
	close(c)
	c <- 1
}

func earlyExit() {
	c := make(chan int)
	go func() {
		defer close(c)
		c <- 1
	}()
	<-c
	time.Sleep(5 * time.Millisecond)
	c <- 2
}

func closeInSelect() {
	c, quit := make(chan int), make(chan int)
	go func() {
		time.Sleep(time.Millisecond)
		close(c)
	}()
	select {
	case c <- 1:
	case <-quit:
	}
}

func deferredClose() {
	c := make(chan int)
	func() {
		defer close(c)
		go sender(c)
		<-c
	}()
	time.Sleep(100 * time.Millisecond)
}

func receiverCloses() {
	c := make(chan int)
	go func() {
		<-c
		close(c)
	}()
	sender(c)
}

func main() {
	map[string]func(){"two": twoClosers, "after": senderAfterClose, "early": earlyExit, "select": closeInSelect,
		"defer": deferredClose, "receiver": receiverCloses}[os.Args[1]]()
}
