// Package panel is the admin panel: a web application, built by Vite into dist/app
// and embedded in the program.
package panel

import (
	"embed"
	"io/fs"
)

// dist holds the built application, or only a file that keeps the folder.
//
//go:embed all:dist
var dist embed.FS

// Files returns the built application: index.html, and beside it the folder assets,
// whose names change with their content. The second result is false if this program
// was built without the panel.
func Files() (fs.FS, bool) {
	if _, err := fs.Stat(dist, "dist/app/index.html"); err != nil {
		return nil, false
	}
	app, err := fs.Sub(dist, "dist/app")
	return app, err == nil
}
