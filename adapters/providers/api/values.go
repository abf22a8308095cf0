package api

import (
	"bytes"
	"math"
	"strconv"
)

// Number is a count that services write as a number or as a string. What is neither,
// and what is negative, counts as 0.
type Number int

// UnmarshalJSON never fails: a count is not worth an answer.
func (n *Number) UnmarshalJSON(data []byte) error {
	*n = 0
	text := string(bytes.Trim(data, `"`))
	if value, err := strconv.ParseFloat(text, 64); err == nil && value >= 0 {
		*n = Number(min(value, math.MaxInt32))
	}
	return nil
}
