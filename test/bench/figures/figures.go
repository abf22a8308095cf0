// Package figures turns what benchmarks measure into tables and charts, and writes them
// into documents.
package figures

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

// Median returns the value that half of the values do not exceed.
func Median(values []float64) float64 { return Quantile(values, 0.5) }

// Quantile returns the least of the values that a share q of them does not exceed; 0 of no
// values.
func Quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	rank := int(q*float64(len(sorted)) + 1 - 1e-9) // counted from 1, rounded up
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// Table is a table in Markdown. Columns of numbers are aligned to the right.
type Table struct {
	Header []string
	Rows   [][]string
}

// Add appends a row. A cell is text as it is, a float64 in three digits, or anything that
// fmt prints.
func (t *Table) Add(cells ...any) {
	row := make([]string, len(cells))
	for i, cell := range cells {
		if number, ok := cell.(float64); ok {
			cell = Number(number)
		}
		row[i] = fmt.Sprint(cell)
	}
	t.Rows = append(t.Rows, row)
}

// String returns the Markdown.
func (t *Table) String() string {
	var s strings.Builder
	line := func(cells []string) { s.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	line(t.Header)
	rules := make([]string, len(t.Header))
	for i := range t.Header {
		rules[i] = "---"
		if t.numeric(i) {
			rules[i] = "---:"
		}
	}
	line(rules)
	for _, row := range t.Rows {
		line(row)
	}
	return s.String()
}

// aNumber is a number, with its unit if it has one.
var aNumber = regexp.MustCompile(`^([<>+-] ?)?\d[\d .]*(%|ms|s|MB|points)?$`)

func (t *Table) numeric(column int) bool {
	for _, row := range t.Rows {
		if row[column] != "" && !aNumber.MatchString(row[column]) {
			return false
		}
	}
	return true
}

// Number returns a number in three digits, or in all of those before the point, with
// thousands apart.
func Number(x float64) string {
	switch magnitude := max(x, -x); {
	case magnitude == 0:
		return "0"
	case magnitude < 0.0995:
		return fmt.Sprintf("%.2g", x)
	case magnitude < 9.995:
		return fmt.Sprintf("%.2f", x)
	case magnitude < 99.95:
		return fmt.Sprintf("%.1f", x)
	default:
		return grouped(fmt.Sprintf("%.0f", x))
	}
}

// grouped sets the digits of a whole number apart in threes.
func grouped(digits string) string {
	sign := strings.HasPrefix(digits, "-")
	digits = strings.TrimPrefix(digits, "-")
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + " " + digits[i:]
	}
	if sign {
		return "-" + digits
	}
	return digits
}

// Percent returns a share as a percentage with one digit after the point, and never as
// all or nothing of what is less or more than that.
func Percent(share float64) string {
	switch text := fmt.Sprintf("%.1f %%", 100*share); {
	case text == "100.0 %" && share < 1:
		return "> 99.9 %"
	case text == "0.0 %" && share > 0:
		return "< 0.1 %"
	default:
		return text
	}
}

// Write puts the text into a document, in the place of what is between the lines
// <!-- generated: NAME --> and <!-- end of NAME -->, which stay.
func Write(path, name, text string) error {
	document, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	written, err := replace(string(document), name, text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(written), 0o644)
}

func replace(document, name, text string) (string, error) {
	begin, end := "<!-- generated: "+name+" -->\n", "<!-- end of "+name+" -->"
	before, rest, found := strings.Cut(document, begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		return "", fmt.Errorf("there is no place for %q between %q and %q", name, begin, end)
	}
	return before + begin + "\n" + strings.Trim(text, "\n") + "\n\n" + end + after, nil
}
