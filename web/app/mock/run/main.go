// Command run serves the built app on the mock, for work on the app alone:
//
//	go run ./web/app/build && go run ./web/app/mock/run
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"banyan/web/app/mock"
)

func main() {
	s, err := mock.New(os.DirFS("web/app/dist"), time.Now)
	if err == nil {
		var l net.Listener
		if l, err = net.Listen("tcp", "127.0.0.1:0"); err == nil {
			fmt.Printf("http://%s  sign in as chanthou, vanna or root; password: the login and %s\n", l.Addr(), mock.PasswordSuffix)
			err = (&http.Server{Handler: s, ReadHeaderTimeout: 5 * time.Second}).Serve(l)
		}
	}
	fmt.Fprintln(os.Stderr, "mock:", err)
	os.Exit(1)
}
