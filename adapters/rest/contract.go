package rest

import (
	_ "embed"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
)

//go:embed openapi.yaml
var openAPI []byte

// OpenAPI returns the contract of the HTTP API as it is written, in YAML.
func OpenAPI() []byte { return slices.Clone(openAPI) }

// contract is the OpenAPI document, by the router's own patterns of paths.
type contract struct {
	operations map[string]map[string]*operation // by pattern and method
	published  []byte                           // as JSON
}

// load reads what is built into the program, once: it takes some time, and nobody
// changes it.
var load = sync.OnceValues(func() (*contract, *documents) {
	contract, err := loadContract()
	if err != nil {
		panic(err) // tests load it
	}
	documents, err := newDocuments(contract)
	if err != nil {
		panic(err)
	}
	return contract, documents
})

// operation is what the contract says of the requests of one method of a path.
type operation struct {
	route    *routers.Route
	query    []string // the names of its parameters
	anyQuery bool     // it may have others, too
	body     *openapi3.Schema
	bodyless bool  // there need not be one
	maxBytes int64 // of the body

	servesBytes bool
}

// codes returns the status codes that a method of a pattern answers with.
func (k *contract) codes(pattern, method string) []int {
	op := k.operations[pattern][method]
	if op == nil {
		return nil
	}
	var codes []int
	for text := range op.route.Operation.Responses.Map() {
		if code, err := strconv.Atoi(text); err == nil {
			codes = append(codes, code)
		}
	}
	return codes
}

// images returns the patterns of the paths that are answered with images.
func (k *contract) images() map[string]bool {
	patterns := map[string]bool{}
	for pattern, methods := range k.operations {
		if op := methods[http.MethodGet]; op != nil && op.servesBytes {
			patterns[pattern] = true
		}
	}
	return patterns
}

// loadContract reads the document.
func loadContract() (*contract, error) {
	doc, err := openapi3.NewLoader().LoadFromData(openAPI)
	if err != nil {
		return nil, err
	}
	k := &contract{operations: map[string]map[string]*operation{}}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			checked := newOperation(doc, path, method)
			for _, pattern := range patternsOf(path, append(slices.Clone(item.Parameters), op.Parameters...)) {
				if k.operations[pattern] == nil {
					k.operations[pattern] = map[string]*operation{}
				}
				k.operations[pattern][method] = checked
			}
		}
	}
	k.published, err = publish(doc)
	return k, err
}

func newOperation(doc *openapi3.T, path, method string) *operation {
	item := doc.Paths.Value(path)
	o := &operation{
		route:    &routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: item.GetOperation(method)},
		maxBytes: maxJSON,
	}
	o.servesBytes = o.answersImage()
	for _, p := range o.parameters() {
		if p.In == openapi3.ParameterInQuery {
			o.query = append(o.query, p.Name)
		}
	}
	o.anyQuery = o.route.Operation.Extensions["x-open-query"] == true
	if body := o.route.Operation.RequestBody; body != nil {
		if content := body.Value.Content.Get("application/json"); content != nil && len(body.Value.Content) == 1 {
			o.body = content.Schema.Value // if it may be a form as well, the handler finds out
		}
		o.bodyless = !body.Value.Required
		if n, ok := body.Value.Extensions["x-max-bytes"].(float64); ok {
			o.maxBytes = int64(n)
		}
	}
	return o
}

// parameters returns those of the path and then those of the method.
func (o *operation) parameters() []*openapi3.Parameter {
	var all []*openapi3.Parameter
	for _, p := range slices.Concat(o.route.PathItem.Parameters, o.route.Operation.Parameters) {
		all = append(all, p.Value)
	}
	return all
}

// answersImage reports whether the operation answers with an image. Those are the
// requests that there are most of, and their handlers check the little that they can
// carry themselves.
func (o *operation) answersImage() bool {
	answer := o.route.Operation.Responses.Status(http.StatusOK)
	return answer != nil && answer.Ref == "#/components/responses/Image"
}

// patternsOf returns a path as the router writes it: parameters with a colon, and a
// path for each value of those that have a route per value.
func patternsOf(path string, parameters openapi3.Parameters) []string {
	patterns := []string{path}
	for _, p := range parameters {
		if p.Value.In != openapi3.ParameterInPath {
			continue
		}
		values := []any{":" + p.Value.Name}
		if p.Value.Extensions["x-route-per-value"] == true {
			values = p.Value.Schema.Value.Enum
		}
		var expanded []string
		for _, pattern := range patterns {
			for _, value := range values {
				text, _ := value.(string)
				expanded = append(expanded, strings.ReplaceAll(pattern, "{"+p.Value.Name+"}", text))
			}
		}
		patterns = expanded
	}
	return patterns
}

// publish returns the document in JSON, without what is there for this program only.
func publish(doc *openapi3.T) ([]byte, error) {
	text, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		return nil, err
	}
	withoutPrivate(tree)
	return json.Marshal(tree)
}

func withoutPrivate(tree any) {
	switch node := tree.(type) {
	case map[string]any:
		for name, value := range node {
			if strings.HasPrefix(name, "x-go-") || name == "x-is" || name == "x-answers" {
				delete(node, name)
				continue
			}
			withoutPrivate(value)
		}
	case []any:
		for _, value := range node {
			withoutPrivate(value)
		}
	}
}
