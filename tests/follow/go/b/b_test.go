package b

import "testing"

func TestSends(t *testing.T) {
	c := make(chan int)
	go func() {
		for i := 0; i < 2222; i++ {
			c <- i
		}
		close(c)
	}()
	n := 0
	for range c {
		n++
	}
	if n != 2222 {
		t.Fatal(n)
	}
}
