package a

import "testing"

func TestSends(t *testing.T) {
	c := make(chan int)
	go func() {
		for i := 0; i < 1111; i++ {
			c <- i
		}
		close(c)
	}()
	n := 0
	for range c {
		n++
	}
	if n != 1111 {
		t.Fatal(n)
	}
}
