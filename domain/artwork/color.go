package artwork

import "fmt"

// Color is a colour in sRGB as style sheets write it, "#rrggbb" in lower case. "" says
// that it is not known.
type Color string

// ColorOf returns the colour of the three parts.
func ColorOf(r, g, b uint8) Color { return Color(fmt.Sprintf("#%02x%02x%02x", r, g, b)) }

// Check returns an InvalidInput error unless it is a colour, or not known.
func (c Color) Check() error {
	if c == "" {
		return nil
	}
	valid := len(c) == 7 && c[0] == '#'
	for i := 1; valid && i < len(c); i++ {
		valid = '0' <= c[i] && c[i] <= '9' || 'a' <= c[i] && c[i] <= 'f'
	}
	if !valid {
		return Errorf(InvalidInput, "%q is not a colour: it is written #rrggbb, in lower case", string(c))
	}
	return nil
}
