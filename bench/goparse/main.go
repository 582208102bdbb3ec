// Goparse reads one execution trace with Go's own parser and does nothing with the events but count them: the least that
// any reader of Go traces built on that parser has to do. bench/import builds it inside the standard library's tree,
// because internal/trace can't be imported from elsewhere.
package main

import (
	"bufio"
	"fmt"
	"internal/trace"
	"io"
	"os"
)

func count(path string) (int, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	r, err := trace.NewReader(bufio.NewReaderSize(f, 1<<20))
	if err != nil {
		return 0, err
	}
	for n := 0; ; n++ {
		if _, err := r.ReadEvent(); err == io.EOF {
			return n, nil
		} else if err != nil {
			return n, err
		}
	}
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: goparse TRACE")
		os.Exit(2)
	}
	n, err := count(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "goparse:", err)
		os.Exit(1)
	}
	fmt.Println(n)
}
