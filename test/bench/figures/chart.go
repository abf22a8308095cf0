package figures

import (
	"fmt"
	"html"
	"strings"
)

// Chart is a picture of bars: groups of them side by side, one bar for each series in each
// group.
type Chart struct {
	Title  string
	Unit   string // what the bars are numbers of
	Series []string
	Groups []Group
}

// Group is what the series have in one respect; what a series has not got is 0.
type Group struct {
	Name   string
	Values []float64
}

// Sizes of the picture, in pixels.
const (
	chartWidth  = 860
	chartMargin = 24
	labelWidth  = 140 // beside the bars: the names of the series
	barHeight   = 18
	barStep     = 24
	groupHead   = 34
	chartHead   = 64
	valueWidth  = 110 // behind the longest bar
)

// chartStyle gives the picture its own ground, so that it can be read on any page, and
// follows who prefers a dark one. The colours can be told apart by who is colour-blind.
const chartStyle = `<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 16px } .group { font-weight: 600 } .quiet { fill: #59636e }
.ground { fill: #ffffff; stroke: #d1d9e0 }
.s0 { fill: #0072b2 } .s1 { fill: #d55e00 } .s2 { fill: #009e73 } .s3 { fill: #9a6fb0 } .s4 { fill: #b8860b }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .quiet { fill: #9198a1 } .ground { fill: #0d1117; stroke: #3d444d }
  .s0 { fill: #56b4e9 } .s1 { fill: #ff8c42 } .s2 { fill: #2fc79c } .s3 { fill: #cc9fe0 } .s4 { fill: #e0b040 }
}
</style>
`

// SVG returns the picture. Each group has a scale of its own, so that groups of small
// numbers can be read beside those of large ones; the numbers stand at the bars.
func (c Chart) SVG() string {
	height := chartHead + len(c.Groups)*(groupHead+len(c.Series)*barStep) + chartMargin
	var s strings.Builder
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">`+"\n",
		chartWidth, height, chartWidth, height, html.EscapeString(c.Title))
	s.WriteString(chartStyle)
	fmt.Fprintf(&s, `<rect class="ground" x="0.5" y="0.5" width="%d" height="%d" rx="6"/>`+"\n", chartWidth-1, height-1)
	label(&s, "title", chartMargin, 32, c.Title)
	label(&s, "quiet", chartMargin, 52, c.Unit)
	y := chartHead
	for _, group := range c.Groups {
		c.draw(&s, group, y)
		y += groupHead + len(c.Series)*barStep
	}
	s.WriteString("</svg>\n")
	return s.String()
}

func (c Chart) draw(s *strings.Builder, group Group, y int) {
	const left = chartMargin + labelWidth
	const room = chartWidth - left - valueWidth - chartMargin
	label(s, "group", chartMargin, y+24, group.Name)
	longest := 0.0
	for _, value := range group.Values {
		longest = max(longest, value)
	}
	for i, value := range group.Values {
		top := y + groupHead + i*barStep
		width := 0.0
		if longest > 0 {
			width = value / longest * room
		}
		label(s, "quiet", chartMargin, top+13, c.Series[i])
		fmt.Fprintf(s, `<rect class="s%d" x="%d" y="%d" width="%.1f" height="%d" rx="2"/>`+"\n", i%5, left, top, max(width, 1), barHeight)
		label(s, "", left+int(width)+8, top+13, Number(value))
	}
}

func label(s *strings.Builder, class string, x, y int, text string) {
	if class != "" {
		class = fmt.Sprintf(` class="%s"`, class)
	}
	fmt.Fprintf(s, "<text%s x=\"%d\" y=\"%d\">%s</text>\n", class, x, y, html.EscapeString(text))
}
