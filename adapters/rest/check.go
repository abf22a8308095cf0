package rest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/gin-gonic/gin"

	"gatefold/domain/artwork"
)

// check returns an InvalidInput error if the contract does not allow the request: its
// path, its query, or its body if that is JSON. It comes after the decision who may
// what, and before the handler, which is left to say whether a value makes sense. Forms
// are read by handlers alone, because they are not to be kept in memory twice.
func (k *contract) check(c *gin.Context) error {
	method := c.Request.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	op := k.operations[c.FullPath()][method]
	if op == nil || op.servesBytes {
		return nil
	}
	if err := op.checkParameters(c); err != nil {
		return err
	}
	return op.checkBody(c)
}

func (o *operation) checkParameters(c *gin.Context) error {
	if err := onlyQuery(c, o.query...); err != nil && !o.anyQuery {
		return err
	}
	in := &openapi3filter.RequestValidationInput{
		Request: c.Request, Route: o.route, PathParams: map[string]string{}, QueryParams: c.Request.URL.Query(),
		Options: &openapi3filter.Options{SkipSettingDefaults: true},
	}
	for _, p := range c.Params {
		in.PathParams[p.Key] = p.Value
	}
	for _, p := range o.parameters() {
		if _, literal := in.PathParams[p.Name]; p.In == openapi3.ParameterInPath && !literal {
			continue // the router has a route of its own for each value
		}
		if err := openapi3filter.ValidateParameter(c.Request.Context(), in, p); err != nil {
			return badParameter(p, err)
		}
	}
	return nil
}

// badParameter says what is wrong with a parameter. What is in the path need not be
// named.
func badParameter(p *openapi3.Parameter, err error) error {
	name := p.Name + ": "
	if p.In == openapi3.ParameterInPath {
		name = ""
	}
	if schemaErr, ok := errors.AsType[*openapi3.SchemaError](err); ok {
		text := shortcoming{name: p.Name, err: schemaErr}.String()
		if strings.HasPrefix(text, p.Name) {
			return artwork.Errorf(artwork.InvalidInput, "%s", text)
		}
		return artwork.Errorf(artwork.InvalidInput, "%s%s", name, text)
	}
	switch {
	case errors.Is(err, openapi3filter.ErrInvalidRequired):
		return artwork.Errorf(artwork.InvalidInput, "the parameter %q is missing", p.Name)
	case errors.Is(err, openapi3filter.ErrInvalidEmptyValue):
		return artwork.Errorf(artwork.InvalidInput, "%s is empty", p.Name)
	case p.Schema.Value.Type.Is(openapi3.TypeBoolean):
		return artwork.Errorf(artwork.InvalidInput, "%s must be true or false", p.Name)
	default:
		return artwork.Errorf(artwork.InvalidInput, "%s must be %s", p.Name, bounds(p.Schema.Value))
	}
}

// checkBody reads a JSON body, and leaves it to be read again.
func (o *operation) checkBody(c *gin.Context) error {
	if o.body == nil {
		return nil
	}
	text, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, o.maxBytes))
	if err != nil {
		return badJSON("the body", err)
	}
	c.Request.Body = io.NopCloser(bytes.NewReader(text))
	if len(text) == 0 && o.bodyless {
		return nil
	}
	var value any
	decoder := json.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&value); err != nil {
		return badJSON("the body", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return artwork.Errorf(artwork.InvalidInput, "the body has more than one JSON value")
	}
	err = o.body.VisitJSON(value, openapi3.VisitAsRequest())
	if schemaErr, ok := errors.AsType[*openapi3.SchemaError](err); ok {
		return artwork.Errorf(artwork.InvalidInput, "%s", shortcomingOf(schemaErr))
	}
	return err
}

// shortcoming is what a value lacks of what its schema says.
type shortcoming struct {
	prefix string // "items[7]: ", of what is wrong with an item
	whole  string // what the outermost value is: "the body", or "the item"
	name   string // of the value in the whole; "" if it is the whole
	err    *openapi3.SchemaError
}

// shortcomingOf returns what a body lacks. What is wrong with an item of a list is
// said of the item.
func shortcomingOf(err *openapi3.SchemaError) shortcoming {
	s := shortcoming{whole: "the body", err: err}
	var names []string
	for _, key := range err.JSONPointer() {
		if key != "" && strings.Trim(key, "0123456789") == "" {
			s.prefix, s.whole, names = fmt.Sprintf("%s%s[%s]: ", s.prefix, strings.Join(names, "."), key), "the item", nil
			continue
		}
		names = append(names, key)
	}
	s.name = strings.Join(names, ".")
	return s
}

// String says it to the person who asked.
func (s shortcoming) String() string { return s.prefix + s.text() }

func (s shortcoming) text() string {
	schema, value := s.err.Schema, s.err.Value
	switch s.err.SchemaField {
	case "type", "nullable":
		return s.ofType()
	case "required":
		return fmt.Sprintf("the field %q is missing", s.name)
	case "properties":
		return fmt.Sprintf("%s is not what is expected: unknown field %q", cmp.Or(s.name, s.whole), unknownField(schema, value))
	case "enum", "pattern", "format":
		return fmt.Sprintf("%s is not %s", quoted(value), expected(schema))
	case "minLength", "maxLength":
		return fmt.Sprintf("%s %s", s.name, lengths(schema))
	case "minimum", "maximum":
		return fmt.Sprintf("%s must be %s", s.name, bounds(schema))
	case "minItems", "maxItems":
		items, _ := value.([]any)
		return fmt.Sprintf("%s must be %d to %d, not %d", s.name, schema.MinItems, *schema.MaxItems, len(items))
	default:
		return fmt.Sprintf("%s is not what is expected: %s", cmp.Or(s.name, s.whole), s.err.Reason)
	}
}

func (s shortcoming) ofType() string {
	kind := "a JSON " + kindOf(s.err.Value)
	if s.err.Value == nil {
		kind = "null"
	}
	switch {
	case s.name == "":
		return fmt.Sprintf("%s must be a JSON object, not %s", s.whole, kind)
	case s.err.Schema.Type.Is(openapi3.TypeInteger) && kindOf(s.err.Value) == "number":
		return fmt.Sprintf("%s must be a whole number", s.name)
	default:
		return fmt.Sprintf("the field %q cannot be %s", s.name, kind)
	}
}

// kindOf names the kind of a JSON value.
func kindOf(value any) string {
	switch value.(type) {
	case bool:
		return "boolean"
	case float64:
		return "number"
	case string:
		return "string"
	case []any:
		return "array"
	default:
		return "object"
	}
}

// unknownField returns the first field that the schema does not have.
func unknownField(schema *openapi3.Schema, value any) string {
	var unknown []string
	fields, _ := value.(map[string]any)
	for name := range fields {
		if schema.Properties[name] == nil {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return unknown[0]
}

// quoted cuts off what is too long to be said.
func quoted(value any) string {
	text, _ := value.(string)
	if len(text) > 64 {
		text = text[:64] + "…"
	}
	return fmt.Sprintf("%q", text)
}

// expected says what a text is to be: "a UUID", or "a role: use user or admin".
func expected(schema *openapi3.Schema) string {
	what, _ := schema.Extensions["x-is"].(string)
	what = cmp.Or(what, "what is expected")
	if len(schema.Enum) == 0 {
		return what
	}
	var values []string
	for _, value := range schema.Enum {
		values = append(values, fmt.Sprint(value))
	}
	last := len(values) - 1
	if last == 0 {
		return what + ": use " + values[0]
	}
	return what + ": use " + strings.Join(values[:last], ", ") + " or " + values[last]
}

func lengths(schema *openapi3.Schema) string {
	if schema.MaxLength == nil {
		return "is empty"
	}
	return fmt.Sprintf("must have %d to %d characters", schema.MinLength, *schema.MaxLength)
}

func bounds(schema *openapi3.Schema) string {
	if what, said := schema.Extensions["x-is"].(string); said {
		return what
	}
	switch {
	case schema.Min != nil && schema.Max != nil:
		return fmt.Sprintf("a number from %v to %v", int64(*schema.Min), int64(*schema.Max))
	case schema.Min != nil:
		return fmt.Sprintf("a number, at least %v", int64(*schema.Min))
	case schema.Max != nil:
		return fmt.Sprintf("a number, at most %v", int64(*schema.Max))
	default:
		return "a number"
	}
}
