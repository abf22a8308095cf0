package figures

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestQuantile(t *testing.T) {
	t.Parallel()
	values := []float64{5, 1, 4, 2, 3}
	for q, want := range map[float64]float64{0: 1, 0.2: 1, 0.21: 2, 0.5: 3, 0.8: 4, 0.99: 5, 1: 5} {
		require.Equal(t, want, Quantile(values, q), q)
	}
	require.Equal(t, []float64{5, 1, 4, 2, 3}, values, "what was measured stays in its order")
	require.Equal(t, 2.0, Median([]float64{1, 2, 3, 4}))
	require.Zero(t, Median(nil))
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(i + 1)
	}
	require.Equal(t, 99.0, Quantile(hundred, 0.99), "one of a hundred is longer")
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for x, want := range map[float64]string{
		0: "0", 0.0123: "0.012", 0.4: "0.40", 1.234: "1.23", 9.996: "10.0", 12.34: "12.3", 99.96: "100", 123.4: "123", 1234567: "1 234 567", -4321: "-4 321",
	} {
		require.Equal(t, want, Number(x))
	}
	for share, want := range map[float64]string{0: "0.0 %", 1: "100.0 %", 0.9999: "> 99.9 %", 0.0001: "< 0.1 %", 0.1234: "12.3 %"} {
		require.Equal(t, want, Percent(share))
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	table := Table{Header: []string{"who", "requests/s", "hits", "note"}}
	table.Add("4 nginx", 98643.2, "+12.5 points", "")
	table.Add("gin", 1.5, "> 99.9 %", "bare")
	require.Equal(t, "| who | requests/s | hits | note |\n| --- | ---: | ---: | --- |\n"+
		"| 4 nginx | 98 643 | +12.5 points |  |\n| gin | 1.50 | > 99.9 % | bare |\n", table.String())
}

func TestWrite(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.md")
	const document = "before\n<!-- generated: one -->\nold\n<!-- end of one -->\nbetween\n<!-- generated: two -->\n<!-- end of two -->\nafter\n"
	require.NoError(t, os.WriteFile(path, []byte(document), 0o600))
	for range 2 { // the second time finds what the first has written
		require.NoError(t, Write(path, "one", "\nnew\n"))
		written, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, strings.Replace(document, "old\n", "\nnew\n\n", 1), string(written))
	}
	require.ErrorContains(t, Write(path, "three", "x"), `no place for "three"`)
	require.ErrorIs(t, Write(path+"x", "one", "x"), os.ErrNotExist)
}

func TestChart(t *testing.T) {
	t.Parallel()
	chart := Chart{Title: "a < b", Unit: "requests/s", Series: []string{"x & y", "z"}, Groups: []Group{{"first", []float64{200, 100}}, {"second", []float64{0, 0}}}}
	picture := chart.SVG()
	decoder := xml.NewDecoder(strings.NewReader(picture))
	var bars []string
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err, "it is XML")
		if element, ok := token.(xml.StartElement); ok && element.Name.Local == "rect" {
			for _, attribute := range element.Attr {
				if attribute.Name.Local == "width" {
					bars = append(bars, attribute.Value)
				}
			}
		}
	}
	require.Equal(t, []string{"859", "562.0", "281.0", "1.0", "1.0"}, bars, "the ground, and bars as long as their values say")
	require.Contains(t, picture, "prefers-color-scheme: dark")
	require.Contains(t, picture, "x &amp; y")
}

func TestMachine(t *testing.T) {
	t.Parallel()
	description := Machine(time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), "go version", "no-such-program -v")
	require.Regexp(t, `^Measured on 23 November 2026: \d+ × .+, \d+ GB of memory, Linux \d.*, go\d.*, go \d[\d.]+, no-such-program\.$`, description)
	require.Positive(t, MemoryGB("MemAvailable"))
}
