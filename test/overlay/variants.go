package overlay

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Variable is the environment variable by which a program that was built with
// WriteVariants is told which variant it is. Without it, it is none of them.
const Variable = "GATEFOLD_VARIANT"

// SideBySide reports whether an edit can be built into one program with others:
// whether it lies within the body of a function whose copy can be called in its place.
func SideBySide(root string, base []Edit, e Edit) bool {
	f, err := newVariants(root, base, e.File)
	return err == nil && f.add("0", e) == nil
}

// WriteVariants is Write for a program that is all of the variants, and is told by
// Variable which. Each is base and one edit, for which SideBySide holds; all are of one
// package. To build once is much faster than to build each.
func WriteVariants(root, dir string, base []Edit, variants map[string]Edit) (string, error) {
	files := map[string]*variantFile{}
	for _, e := range slices.AppendSeq(slices.Clone(base), maps.Values(variants)) {
		f, err := newVariants(root, base, e.File)
		if err != nil {
			return "", err
		}
		files[e.File] = f
	}
	for name, e := range variants {
		if err := files[e.File].add(name, e); err != nil {
			return "", err
		}
	}
	replace := map[string]string{}
	for name, f := range files {
		original := filepath.Join(root, filepath.FromSlash(name))
		replace[original] = filepath.Join(dir, filepath.Base(name))
		replace[filepath.Join(filepath.Dir(original), "variant.go")] = filepath.Join(dir, "variant.go")
		if err := f.write(dir); err != nil {
			return "", err
		}
	}
	return write(dir, replace)
}

// variantFile is a Go file, some functions of which have copies that are edited. The
// function begins by calling its copy, if the program is that variant.
type variantFile struct {
	name   string
	text   string
	parsed *ast.File
	calls  map[int]string // what is inserted, by where
	copies []string
}

func newVariants(root string, base []Edit, name string) (*variantFile, error) {
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		return nil, err
	}
	f := &variantFile{name: name, text: string(text), calls: map[int]string{}}
	for _, e := range base {
		if e.File != name {
			continue
		}
		if _, err := f.find(e.Old); err != nil {
			return nil, err
		}
		f.text = strings.Replace(f.text, e.Old, e.New, 1)
	}
	f.parsed, err = parser.ParseFile(token.NewFileSet(), name, f.text, parser.SkipObjectResolution)
	return f, err
}

// find returns where a text begins that occurs exactly once.
func (f *variantFile) find(old string) (int, error) {
	if n := strings.Count(f.text, old); n != 1 {
		return 0, moved(Edit{File: f.name, Old: old}, n)
	}
	return strings.Index(f.text, old), nil
}

func (f *variantFile) add(name string, e Edit) error {
	at, err := f.find(e.Old)
	if err != nil {
		return err
	}
	for _, d := range f.parsed.Decls {
		function, ok := d.(*ast.FuncDecl)
		if !ok || function.Body == nil || at <= offset(function.Body.Lbrace) || at+len(e.Old) > offset(function.Body.Rbrace) {
			continue
		}
		arguments, ok := arguments(function)
		if !ok {
			break
		}
		edited := fmt.Sprintf("%sVariant%d", function.Name.Name, len(f.copies))
		f.copies = append(f.copies, fmt.Sprintf("\nfunc %s%s%s%s%s\n", f.text[offset(function.Pos())+len("func"):offset(function.Name.Pos())], edited,
			f.text[offset(function.Name.End()):at], e.New, f.text[at+len(e.Old):offset(function.End())]))
		f.calls[offset(function.Body.Lbrace)+1] += call(function, name, edited, arguments)
		return nil
	}
	return fmt.Errorf("%q in %s lies in no function that can be called under another name", e.Old, f.name)
}

// call returns the statement that calls the copy if the program is the variant.
func call(function *ast.FuncDecl, variant, edited, arguments string) string {
	receiver := ""
	if function.Recv != nil {
		receiver = function.Recv.List[0].Names[0].Name + "."
	}
	if function.Type.Results == nil {
		return fmt.Sprintf(" if variant == %q { %s%s(%s); return };", variant, receiver, edited, arguments)
	}
	return fmt.Sprintf(" if variant == %q { return %s%s(%s) };", variant, receiver, edited, arguments)
}

// arguments returns what a function passes on to call another with all that it was
// called with. Some have no names for it.
func arguments(function *ast.FuncDecl) (string, bool) {
	if function.Type.TypeParams != nil || function.Name.Name == "init" || function.Name.Name == "main" {
		return "", false
	}
	if function.Recv != nil && !named(function.Recv.List[0]) {
		return "", false
	}
	var names []string
	for _, field := range function.Type.Params.List {
		if !named(field) {
			return "", false
		}
		for _, name := range field.Names {
			names = append(names, name.Name)
		}
		if _, variadic := field.Type.(*ast.Ellipsis); variadic {
			names[len(names)-1] += "..."
		}
	}
	return strings.Join(names, ", "), true
}

func named(field *ast.Field) bool {
	return len(field.Names) > 0 && !slices.ContainsFunc(field.Names, func(name *ast.Ident) bool { return name.Name == "_" })
}

// offset returns where a position of a file that was parsed alone lies in its text.
func offset(p token.Pos) int { return int(p) - 1 }

// write writes the file with all of its variants, and beside it what tells which one the
// program is.
func (f *variantFile) write(dir string) error {
	variant := fmt.Sprintf("package %s\n\nimport \"os\"\n\nvar variant = os.Getenv(%q)\n", f.parsed.Name.Name, Variable)
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "variant.go"), []byte(variant), 0o600),
		os.WriteFile(filepath.Join(dir, filepath.Base(f.name)), []byte(f.edited()), 0o600),
	)
}

// edited returns the text of the file with all of its variants.
func (f *variantFile) edited() string {
	var text strings.Builder
	from := 0
	for _, at := range slices.Sorted(maps.Keys(f.calls)) {
		text.WriteString(f.text[from:at])
		text.WriteString(f.calls[at])
		from = at
	}
	text.WriteString(f.text[from:])
	for _, c := range f.copies {
		text.WriteString(c)
	}
	return text.String()
}
