package consistency

import (
	"time"

	"github.com/anishathalye/porcupine"
)

// searchLimit bounds the search for a linearization. The order of the changes is
// known, so that it is short.
const searchLimit = time.Minute

// access is one operation on a register: a read, or the change to a version.
type access struct {
	change  bool
	version int
}

// registerModel is a register whose changes happen in the order in which the
// database committed them.
var registerModel = porcupine.Model{
	Init: func() any { return 0 },
	Step: func(state, input, output any) (bool, any) {
		a := input.(access)
		if a.change {
			return a.version == state.(int)+1, a.version
		}
		return output.(int) == state.(int), state
	},
}

// linearizable asks whether each answer of the register can be explained by a
// moment, between question and answer, at which it was true.
func (r *register) linearizable(limit time.Duration) porcupine.CheckResult {
	operations := make([]porcupine.Operation, 0, len(r.changes)+len(r.readings))
	for _, c := range r.changes {
		operations = append(operations, porcupine.Operation{
			Input: access{change: true, version: c.version}, Call: int64(c.from), Return: int64(c.to),
		})
	}
	for _, reading := range r.readings {
		operations = append(operations, porcupine.Operation{
			Input: access{}, Output: reading.version, Call: int64(reading.from), Return: int64(reading.to),
		})
	}
	return porcupine.CheckOperationsTimeout(registerModel, operations, limit)
}

// linearizable is the verdict over all registers.
func linearizable(registers []register) porcupine.CheckResult {
	until := time.Now().Add(searchLimit)
	verdict := porcupine.Ok
	for i := range registers {
		one := registers[i].linearizable(max(time.Until(until), time.Second))
		if one == porcupine.Illegal {
			return one
		}
		if one != porcupine.Ok {
			verdict = one
		}
	}
	return verdict
}
