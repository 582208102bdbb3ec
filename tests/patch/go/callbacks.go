// C calls into Go: from calls that Go made, and from threads of C's own.
//
//	callbacks CALLS THREADS TRUTH
package main

/*
#include <pthread.h>
#include <stdlib.h>

extern int goBack(int);

static int call(int v) { return goBack(v) + 1; }

static void *run(void *arg)
{
    long n = (long)arg, total = 0;
    for (long i = 0; i < n; i++)
        total += goBack((int)i);
    return (void *)total;
}

static long threads(int count, long n)
{
    pthread_t *t = calloc((size_t)count, sizeof *t);
    long total = 0;
    for (int i = 0; i < count; i++)
        if (pthread_create(&t[i], NULL, run, (void *)n) != 0)
            abort();
    for (int i = 0; i < count; i++) {
        void *got;
        pthread_join(t[i], &got);
        total += (long)got;
    }
    free(t);
    return total;
}
*/
import "C"

import (
	"fmt"
	"runtime"
	"sync/atomic"
)

var calls, backs, sends, recvs, closes, made int64
var in, out chan int

//go:noinline
func newChan(n int) chan int {
	atomic.AddInt64(&made, 1)
	return make(chan int, n)
}

//export goBack
func goBack(v C.int) C.int {
	atomic.AddInt64(&backs, 1)
	if v%64 == 0 {
		runtime.Gosched()
	}
	if v%8 == 0 {
		atomic.AddInt64(&sends, 1)
		in <- int(v)
		atomic.AddInt64(&recvs, 1)
		return C.int(<-out)
	}
	return v
}

func main() {
	n, threads := argument(1), argument(2)
	begin()
	in, out = newChan(0), newChan(4)
	atomic.AddInt64(&recvs, 1) // the last, which finds it closed
	go func() {
		for v := range in {
			atomic.AddInt64(&recvs, 1)
			atomic.AddInt64(&sends, 1)
			out <- v + 0
		}
	}()
	total := 0
	for i := 0; i < n; i++ {
		calls++
		total += int(C.call(C.int(i)))
	}
	runtime.GC()
	calls++
	C.threads(C.int(threads), C.long(n))
	atomic.AddInt64(&closes, 1)
	close(in)
	fmt.Println("called", total > 0, backs)
	end(map[string]int64{"calls": calls, "backs": backs, "sends": sends, "recvs": recvs, "closes": closes, "made": made,
		"threads": int64(threads)})
}
