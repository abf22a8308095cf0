// Package contract holds answers against openapi.yaml in tests.
package contract

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"gatefold/adapters/rest"
)

// clientClosedRequest is answered to who has hung up, and does not read it.
const clientClosedRequest = 499

// contract is the document with its router.
type contract struct {
	doc    *openapi3.T
	router routers.Router
}

var load = sync.OnceValue(func() contract {
	doc, err := openapi3.NewLoader().LoadFromData(rest.OpenAPI())
	if err != nil {
		panic(err)
	}
	for _, schema := range doc.Components.Schemas {
		closeSchema(schema, map[*openapi3.Schema]bool{})
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		panic(err)
	}
	return contract{doc, router}
})

// closeSchema has objects refuse fields that they do not name. Clients are told to
// ignore such fields, but here each of them was forgotten in the contract.
func closeSchema(ref *openapi3.SchemaRef, seen map[*openapi3.Schema]bool) {
	if ref == nil || ref.Value == nil || seen[ref.Value] {
		return
	}
	schema := ref.Value
	seen[schema] = true
	if len(schema.Properties) > 0 && schema.AdditionalProperties.Schema == nil && schema.AdditionalProperties.Has == nil {
		schema.AdditionalProperties.Has = new(bool)
	}
	for _, property := range schema.Properties {
		closeSchema(property, seen)
	}
	for _, part := range append(append(schema.OneOf, schema.AllOf...), schema.AnyOf...) {
		closeSchema(part, seen)
	}
	closeSchema(schema.Items, seen)
	closeSchema(schema.AdditionalProperties.Schema, seen)
}

// Document returns the contract. It must not be changed.
func Document() *openapi3.T { return load().doc }

// Transport is a transport that fails for an answer that the contract does not allow.
// It reads answers to their end, but for streams of events.
type Transport struct{ Base http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.Base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	var body []byte
	if !isStream(resp) {
		if body, err = io.ReadAll(resp.Body); err != nil {
			return nil, err
		}
		if err := resp.Body.Close(); err != nil {
			return nil, err
		}
		resp.Body = io.NopCloser(bytes.NewReader(body))
	}
	if err := Check(req, resp, body); err != nil {
		_ = resp.Body.Close()
		return nil, err
	}
	return resp, nil
}

func isStream(resp *http.Response) bool { return mediaType(resp) == "text/event-stream" }

func mediaType(resp *http.Response) string {
	name, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return name
}

// IsPanel reports whether the path is one of the panel's pages, which are no API.
func IsPanel(path string) bool { return path == "/admin" || strings.HasPrefix(path, "/admin/") }

// Check returns an error unless the contract allows the answer to the request, whose
// body was read. The request need not be allowed.
func Check(req *http.Request, resp *http.Response, body []byte) error {
	if resp.StatusCode == clientClosedRequest || IsPanel(req.URL.Path) {
		return nil
	}
	if err := check(req, resp, body); err != nil {
		return fmt.Errorf("%s %s: the answer %d is not in adapters/rest/openapi.yaml as it is: %w", req.Method, req.URL.Path, resp.StatusCode, err)
	}
	return nil
}

func check(req *http.Request, resp *http.Response, body []byte) error {
	if resp.Header.Get("Cache-Control") == "" {
		return fmt.Errorf("it does not say how it may be cached")
	}
	asked := req.Clone(context.Background())
	if asked.Method == http.MethodHead {
		asked.Method = http.MethodGet
	}
	route, path, err := load().router.FindRoute(asked)
	if err != nil {
		return checkProblem(resp, body)
	}
	in := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, PathParams: path, Route: route},
		Status:                 resp.StatusCode, Header: resp.Header,
		Options: &openapi3filter.Options{
			IncludeResponseStatus: true, ExcludeResponseBody: !isJSON(resp), SchemaValidationOptions: []openapi3.SchemaValidationOption{openapi3.DisableSchemaErrorDetails()},
		},
	}
	in.SetBodyBytes(body)
	if err := openapi3filter.ValidateResponse(context.Background(), in); err != nil {
		return err
	}
	return checkMediaType(route.Operation, resp)
}

// checkProblem checks the answer of the router itself, to what is no operation.
func checkProblem(resp *http.Response, body []byte) error {
	if resp.StatusCode != http.StatusNotFound && resp.StatusCode != http.StatusMethodNotAllowed {
		return fmt.Errorf("there is no such operation")
	}
	if resp.StatusCode == http.StatusMethodNotAllowed && resp.Header.Get("Allow") == "" {
		return fmt.Errorf("it has no Allow")
	}
	if resp.Request != nil && resp.Request.Method == http.MethodHead {
		return nil
	}
	if mediaType(resp) != "application/problem+json" {
		return fmt.Errorf("its media type is %q", resp.Header.Get("Content-Type"))
	}
	return checkSchema("Problem", body)
}

// isJSON reports whether the body is JSON that can be read as it is.
func isJSON(resp *http.Response) bool {
	name := mediaType(resp)
	return (name == "application/json" || strings.HasSuffix(name, "+json")) && resp.Header.Get("Content-Encoding") == ""
}

// checkMediaType checks what ValidateResponse leaves out with the body, and for 304.
func checkMediaType(op *openapi3.Operation, resp *http.Response) error {
	answer := op.Responses.Status(resp.StatusCode)
	if answer == nil {
		return fmt.Errorf("the status is not in it")
	}
	if content := answer.Value.Content; len(content) > 0 && content.Get(resp.Header.Get("Content-Type")) == nil {
		return fmt.Errorf("the media type %q is not in it", resp.Header.Get("Content-Type"))
	}
	if len(answer.Value.Content) == 0 && resp.Header.Get("Content-Type") != "" {
		return fmt.Errorf("it has a media type, %q, and no content", resp.Header.Get("Content-Type"))
	}
	return nil
}

// CheckStream returns an error unless the contract has all events of the answer, which
// has ended; other answers than streams are no error.
func CheckStream(resp *http.Response, body []byte) error {
	if !isStream(resp) || len(body) == 0 {
		return nil
	}
	for event := range strings.SplitSeq(strings.TrimSpace(string(body)), "\n\n") {
		var name, text string
		for line := range strings.SplitSeq(event, "\n") {
			switch field, value, _ := strings.Cut(line, ": "); field {
			case "event":
				name = value
			case "data":
				text = value
			}
		}
		var data map[string]any
		if err := json.Unmarshal([]byte(text), &data); err != nil {
			return err
		}
		if err := CheckEvent(resp.Request.Method, resp.Request.URL.Path, name, data); err != nil {
			return err
		}
	}
	return nil
}

// CheckEvent returns an error unless the contract has such an event in the stream that a
// method of the path answers with.
func CheckEvent(method, path, name string, data map[string]any) error {
	req, err := http.NewRequestWithContext(context.Background(), method, path, nil)
	if err != nil {
		return err
	}
	route, _, err := load().router.FindRoute(req)
	if err != nil {
		return err
	}
	stream := route.Operation.Responses.Status(http.StatusOK).Value.Content.Get("text/event-stream")
	if stream == nil {
		return fmt.Errorf("%s is no stream", path)
	}
	events, _ := stream.Extensions["x-events"].(map[string]any)
	schema, ok := events[name].(string)
	if !ok {
		return fmt.Errorf("the stream of %s has no event %q in its x-events", path, name)
	}
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	if err := checkSchema(schema, text); err != nil {
		return fmt.Errorf("the event %q of %s: %w", name, path, err)
	}
	return nil
}

func checkSchema(name string, text []byte) error {
	schema := load().doc.Components.Schemas[name]
	if schema == nil {
		return fmt.Errorf("there is no schema %q", name)
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return err
	}
	return schema.Value.VisitJSON(value, openapi3.VisitAsResponse())
}
