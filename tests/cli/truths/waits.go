package main

import (
	"sync"
	"time"
)

// Those who wait at the end, by why. Each start function is one of them; how many is said here.
var waits = map[string]func(){
	"nil":         func() { many(3, waitsForNil) },
	"empty":       func() { many(2, waitsForNothing) },
	"deadlock":    deadlock,
	"unclosed":    unclosed,
	"no-sender":   noSender,
	"no-receiver": noReceiver,
	"leak":        leak,
	"workers":     workers,
	"mutex":       mutex,
}

func many(n int, f func()) {
	for i := 0; i < n; i++ {
		go f()
	}
	settle()
}

// settle gives those that were just made the time to wait.
func settle() { time.Sleep(5 * time.Millisecond) }

func waitsForNil() {
	var c chan int
	<-c
}

func waitsForNothing() { select {} }

// Two that have talked with each other each wait for the other's word.
func deadlock() {
	a, b := make(chan int), make(chan int)
	go func() { talks(a, b) }()
	go func() { answers(a, b) }()
	settle()
}

func talks(a, b chan int) {
	a <- 1
	<-b
	<-b
}

func answers(a, b chan int) {
	<-a
	b <- 2
	<-a
}

// Three range over channels whose senders have ended without closing them.
func unclosed() {
	for i := 0; i < 3; i++ {
		made := make(chan chan int)
		go ranges(made)
		go sendsAndEnds(made)
	}
	settle()
}

func ranges(made chan chan int) {
	c := make(chan int)
	made <- c
	for range c {
	}
}

func sendsAndEnds(made chan chan int) {
	c := <-made
	c <- 1
	c <- 2
}

// Two receive once more than was sent.
func noSender() {
	for i := 0; i < 2; i++ {
		made := make(chan chan int)
		go receives(made)
		go sendsOne(made)
	}
	settle()
}

func receives(made chan chan int) {
	c := make(chan int)
	made <- c
	<-c
	<-c
}

func sendsOne(made chan chan int) { (<-made) <- 1 }

// Four send what nobody takes any more.
func noReceiver() {
	for i := 0; i < 4; i++ {
		made := make(chan chan int)
		go sends(made)
		go takesOne(made)
	}
	settle()
}

func sends(made chan chan int) {
	c := make(chan int)
	made <- c
	c <- 1
	c <- 2
}

func takesOne(made chan chan int) { <-(<-made) }

// One more every few milliseconds, and none of them is ever released.
func leak() {
	for i := 0; i < 40; i++ {
		go left(make(chan int))
		time.Sleep(10 * time.Millisecond)
	}
}

func left(c chan int) { <-c }

// A pool that has done its work, and whose master lives: nothing is wrong with it.
func workers() {
	jobs := make(chan int)
	for i := 0; i < 4; i++ {
		go works(jobs)
	}
	settle()
	for i := 0; i < 40; i++ {
		jobs <- i
		if i%4 == 3 {
			time.Sleep(200 * time.Microsecond)
		}
	}
	settle()
}

func works(jobs chan int) {
	for range jobs {
	}
}

// Two wait for a lock that is not given back.
func mutex() {
	m := new(sync.Mutex)
	m.Lock()
	many(2, func() { locks(m) })
}

func locks(m *sync.Mutex) {
	m.Lock()
	m.Unlock()
}
