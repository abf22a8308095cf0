// Gatefold is the artwork service of a music platform.
package main

import (
	"os"

	"gatefold/bootstrap"
)

func main() { os.Exit(bootstrap.Main(os.Args[1:], os.Stdout, os.Stderr)) }
