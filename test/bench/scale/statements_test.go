package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWholeTablesAreThoseThatPlansScan(t *testing.T) {
	t.Parallel()
	const log = "step-1|LOG:  duration: 0.3 ms  plan:\n\tQuery Text: SELECT 'a|b' FROM slots\n\tSeq Scan on slots s  (cost=0.00..1.00 rows=1 width=1)\n" +
		"step-12|LOG:  duration: 1.0 ms  plan:\n\tQuery Text: SELECT 1\n\tGather  (cost=1)\n\t  ->  Parallel Seq Scan on history h\n" +
		"step-1|LOG:  duration: 0.3 ms  plan:\n\tIndex Scan using images_hash on images i\n\t  ->  Seq Scan on artists\n\t  ->  Seq Scan on slots other\n|LOG:  checkpoint starting: Seq Scan on users\n"
	require.Equal(t, []string{"artists", "slots"}, wholeTables(log, "step-1"))
	require.Equal(t, []string{"history"}, wholeTables(log, "step-12"))
	require.Empty(t, wholeTables(log, "step-2"))
}
