//go:build node

package main

import (
	"fmt"
	"io"
	"net"
	"os"

	"github.com/spf13/cobra"
)

func init() {
	programs["forward"] = func() *cobra.Command {
		return &cobra.Command{
			Use:   "forward LISTEN TARGET",
			Short: "Hands what arrives at one address on to another: a node in a network of its own reaches what listens on loopback",
			Args:  cobra.ExactArgs(2),
			RunE: func(_ *cobra.Command, addresses []string) error {
				listener, err := net.Listen("tcp", addresses[0])
				if err != nil {
					return err
				}
				for {
					near, err := listener.Accept()
					if err != nil {
						return err
					}
					go forward(near, addresses[1])
				}
			},
		}
	}
}

func forward(near net.Conn, target string) {
	defer near.Close()
	far, err := net.Dial("tcp", target)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer far.Close()
	done := make(chan struct{}, 2)
	pump := func(to, from net.Conn) {
		io.Copy(to, from) //nolint:errcheck
		if half, ok := to.(*net.TCPConn); ok {
			half.CloseWrite() //nolint:errcheck
		}
		done <- struct{}{}
	}
	go pump(far, near)
	go pump(near, far)
	<-done
	<-done
}
