package twins

const (
	redisCache   = "adapters/rediscache"
	twoLevel     = "adapters/twolevelcache"
	memoryCache  = "adapters/memory"
	repository   = "adapters/bunrepo"
	sharedReads  = "domain/generations"
	domainTerms  = "domain/artwork"
	cacheSuite   = "TestCache/"
	onSQLite     = "TestConformance/sqlite/"
	waitsForThem = "TestAWriterWaitsForCopies/"

	memorySuite = "TestRepository/"
	activityLog = "domain/activity"
	verifying   = "application/verifystore"
	bucketStore = "adapters/s3store"
	diskStore   = "adapters/diskstore"
	downloads   = "adapters/safefetch"
	imageChecks = "adapters/imagecheck"
	announcing  = "application/announce"
	httpAPI     = "adapters/rest"
	accessJWTs  = "adapters/jwttokens"
	signingIn   = "application/signin"

	settingsRules = "domain/deployment"
	following     = "application/followsettings"
	applying      = "application/applyimage"
	inBulk        = "application/bulkapply"
	filling       = "application/fillmissing"
	jobLoop       = "application/jobloop"
	limiting      = "application/limitrequests"
	signing       = "application/signimages"
	askedByAll    = "adapters/providers/api"
	aProvider     = "adapters/providers/deezer"
	rendering     = "application/renderimage"
	explaining    = "application/explainimage"
	setUp         = "application/providersettings"
	theProviders  = "adapters/providers"
	recording     = "adapters/oteltraces"
	deleting      = "application/deletesubjects"
	watching      = "application/health"
)

// twins has at least one twin for every rule. The texts are short, so that they
// change only with the rule. A rule that moves to another file takes its twin
// along.
var twins = []twin{
	// Readers.
	{
		rule: "a load is stored whatever happened meanwhile",
		file: redisCache + "/lua/fill.lua", old: `== ARGV[1] then`, new: `~= 'no lease' then`,
		pkg: redisCache, test: cacheSuite + "a_load_from_before_a_change_fills_nothing_after_it",
	},
	{
		rule: "a failed load keeps its lease",
		file: redisCache + "/lua/release.lua", old: `return redis.call('DEL', KEYS[1])`, new: `return 1`,
		pkg: redisCache, test: "TestAFailedLoadGivesItsLeaseBack",
	},
	{
		rule: "a lease is kept when its reader hangs up",
		file: redisCache + "/cache.go", old: `budget, cancel := context.WithTimeout(context.WithoutCancel(ctx), `, new: `budget, cancel := context.WithTimeout(ctx, `,
		pkg: redisCache, test: "TestAFailedLoadGivesItsLeaseBack",
	},
	{
		rule: "a failed load takes away what is not its own",
		file: redisCache + "/lua/release.lua", old: `== ARGV[1] then`, new: `~= 'no lease' then`,
		pkg: redisCache, test: "TestAFailedLoadGivesItsLeaseBack",
	},
	{
		rule: "a lease replaces whatever is there",
		file: redisCache + "/cache.go", old: `Mode: "NX", Get: true`, new: `Get: true`,
		pkg: redisCache, test: "TestALeaseNeverReplacesAFence",
	},
	{
		rule: "a token is not unique to its acquisition",
		file: redisCache + "/cache.go", old: `rand.Read(b[:])`, new: `rand.Read(b[:0])`,
		pkg: redisCache, test: cacheSuite + "the_end_of_one_change_does_not_end_the_fence_of_another",
	},
	{
		rule: "a caller shares a load that began before it asked",
		file: sharedReads + "/group.go", old: "\t\treturn current, nil", new: `		f := &flight[V]{ctx: context.WithoutCancel(ctx), read: read, done: make(chan struct{})}
		current.next = f
		go func() {
			f.value, f.err = g.inTime(f.ctx, f.read)
			g.take(key, current) // it is not the next any more,
			g.take(key, current) // and none is
			close(f.done)
		}()
		return current, f`,
		pkg: sharedReads, test: "TestWhoComesLateSharesTheNextLoad",
	},
	{
		rule: "an empty slot is remembered for as long as an image",
		file: domainTerms + "/cachepolicy.go", old: `min(ttl, emptySlotTTL)`, new: `max(ttl, emptySlotTTL)`,
		pkg: domainTerms, test: "TestEntryTTLHasJitter",
	},
	{
		rule: "a value of LZ4 is as long as it says",
		file: redisCache + "/compression.go", old: `make([]byte, maxValue)`, new: `make([]byte, 64<<20)`,
		pkg: redisCache, test: "TestDecompressIsBounded",
	},
	{
		rule: "a value of Snappy is as long as it says",
		file: redisCache + "/compression.go", old: `n > maxValue {`, new: `n > 1<<30 {`,
		pkg: redisCache, test: "TestDecompressIsBounded",
	},
	{
		rule: "a value of zstd is as long as it says",
		file: redisCache + "/compression.go", old: `zstd.WithDecoderMaxMemory(maxValue)`, new: `zstd.WithDecoderMaxMemory(1<<30)`,
		pkg: redisCache, test: "TestDecompressIsBounded",
	},

	// Copies in process memory.
	{
		rule: "a copy counts from the arrival of the answer",
		file: twoLevel + "/cache.go", old: `localCopy{answer.Image, until}`, new: `localCopy{answer.Image, max(until, c.now()+c.terms.CopyLife())}`,
		pkg: twoLevel, test: "TestTheTermCountsFromBeforeTheQuestion",
	},
	{
		rule: "copies are made of loads under a fence",
		file: twoLevel + "/cache.go", old: `if answer.Level == artwork.Shared`, new: `if answer.Level == artwork.Loaded || answer.Level == artwork.Shared`,
		pkg: twoLevel, test: "TestOnlyWhatTheInnerCacheVouchesForIsCopied",
	},

	// The fence of a writer.
	{
		rule: "there is no fence",
		file: redisCache + "/lua/fence.lua", old: `redis.call('SET', KEYS[1], 'F' .. table.concat(tokens), 'PXAT', string.format('%.0f', last))`, new: ``,
		pkg: redisCache, test: cacheSuite + "a_load_during_a_change_fills_nothing",
	},
	{
		rule: "a fence is one token and not a set",
		file: redisCache + "/lua/fence.lua", old: `until_ms > now and token ~= ARGV[1]`, new: `false`,
		pkg: redisCache, test: cacheSuite + "the_end_of_one_change_does_not_end_the_fence_of_another",
	},
	{
		rule: "the end of a change ends every fence",
		file: redisCache + "/lua/unfence.lua", old: `elseif until_ms > now then`, new: `elseif false then`,
		pkg: redisCache, test: cacheSuite + "the_end_of_one_change_does_not_end_the_fence_of_another",
	},
	{
		rule: "a slot known to be empty is not fenced",
		file: redisCache + "/lua/fence.lua", old: `local time = redis.call('TIME')`, new: `if redis.call('GET', KEYS[1]) == 'A' then return 1 end
local time = redis.call('TIME')`,
		pkg: redisCache, test: "TestEveryStateIsFenced/absent",
	},
	{
		rule: "a fence that could not be set everywhere is left",
		file: redisCache + "/change.go", old: `_, _ = ch.eval(ctx, unfenceScript, ch.token)`, new: `_ = unfenceScript`,
		pkg: redisCache, test: "TestAFenceThatFailsIsTakenAway",
	},
	{
		rule: "a writer does not wait for copies",
		file: redisCache + "/change.go", old: `wait.For(ctx, ch.cache.terms.CopyWait())`, new: `wait.For(ctx, 0)`,
		pkg: redisCache, test: waitsForThem + "the_fence_is_held",
	},
	{
		rule: "a writer that sets its fence again does not wait again",
		file: redisCache + "/change.go", old: "\t\tif err := ch.fence(ctx); err != nil {",
		new: "\t\tif _, err := ch.eval(ctx, fenceScript, ch.token, fenceTerm.Milliseconds()); err != nil {",
		pkg: redisCache, test: waitsForThem + "the_fence_is_lost_before_COMMIT",
	},
	{
		rule: "a writer whose fence was lost does not wait again",
		file: redisCache + "/change.go", old: "\t\treturn ch.waitForCopies(ctx)", new: "\t\treturn nil",
		pkg: redisCache, test: waitsForThem + "the_fence_is_lost_during_COMMIT",
	},
	{
		rule: "the deadline counts from the end of the wait",
		file: redisCache + "/change.go", old: `Deadline: ch.deadline`, new: `Deadline: time.Now().Add(commitTerm)`,
		pkg: redisCache, test: waitsForThem + "the_fence_is_held",
	},
	{
		rule: "the deadline lies after the end of the fence",
		file: redisCache + "/cache.go", old: `commitTerm = fenceTerm * 9 / 10`, new: `commitTerm = fenceTerm * 2`,
		pkg: redisCache, test: "TestAFenceOutlivesItsDeadline",
	},
	{
		rule: "only the first of several fences is looked at",
		file: redisCache + "/change.go", old: `for _, r := range results {`, new: `for _, r := range results[:min(1, len(results))] {`,
		pkg: redisCache, test: "TestOneLostFenceAmongManyIsNoticed",
	},
	{
		rule: "the fence is not looked at before COMMIT",
		file: redisCache + "/change.go", old: `held, err := ch.eval(ctx, heldScript, ch.token)`, new: `held, err := []int(nil), error(nil)`,
		pkg: redisCache, test: "TestLostFenceIsSetAgainBeforeCommit",
	},
	{
		rule: "what was stored after a fence was lost stays",
		file: redisCache + "/lua/unfence.lua", old: "redis.call('DEL', KEYS[1])\n  return 0", new: "return 0",
		pkg: redisCache, test: "TestValueStoredAfterALostFenceIsDeleted",
	},
	{
		rule: "a fence counts as held if others have one there",
		file: redisCache + "/lua/unfence.lua", old: `return mine`, new: `return 1`,
		pkg: redisCache, test: "TestALostTokenAmongOthersIsNoticed",
	},
	{
		rule: "a change of unknown outcome takes its fence away",
		file: redisCache + "/change.go", old: `if artwork.KindOf(err) == artwork.OutcomeUnknown {`, new: `if false {`,
		pkg: redisCache, test: "TestUnknownOutcomeKeepsTheFence",
	},
	{
		rule: "a change ends when its caller hangs up",
		file: redisCache + "/change.go", old: `ctx = context.WithoutCancel(ctx)`, new: ``,
		pkg: redisCache, test: cacheSuite + "commit_is_not_cancelled_with_the_caller",
	},
	{
		rule: "a change that the cache has not heard of is forgotten",
		file: redisCache + "/change.go", old: `if unfenced == nil {`, new: `if true {`,
		pkg: redisCache, test: "TestAFinishedChangeIsForgottenAndAnUnfinishedOneIsNot",
	},

	// Fences belong to their changes.
	{
		rule: "a replay deletes fences",
		file: redisCache + "/lua/evict.lua", old: `if held and held:sub(1, 1) ~= 'F' then`, new: `if held then`,
		pkg: redisCache, test: "TestAReplaySparesFences",
	},
	{
		rule: "a sweep deletes fences",
		file: redisCache + "/sweep.go", old: `evict(ctx, c.rdb, names)`, new: `c.rdb.Del(ctx, names...).Result()`,
		pkg: redisCache, test: "TestTheSweepSparesFences",
	},
	{
		rule: "a flush deletes fences",
		file: redisCache + "/flush.go", old: `n, err := evict(ctx, server, names)`,
		new: `_, _ = evict(ctx, server, names)
		n, err := len(names), server.Del(ctx, append(names, "none")...).Err()`,
		pkg: redisCache, test: "TestAFlushSparesFences",
	},

	// Servers that may have missed something.
	{
		rule: "a server is used before it is trusted",
		file: redisCache + "/trust.go", old: `return errUntrusted`, new: `return nil`,
		pkg: redisCache, test: "TestUntilItIsReplayedAServerIsNotUsed",
	},
	{
		rule: "nothing is replayed",
		file: redisCache + "/trust.go", old: `evicted, err := t.evictChanged(ctx, conn)`, new: `evicted, err := 0, error(nil)`,
		pkg: redisCache, test: "TestAServerWithAnOlderFileIsNotBelieved/replayed",
	},
	{
		rule: "a server is who its run_id says",
		file: redisCache + "/trust.go", old: `infoField(info, "run_id") + " " + infoField(info, "master_replid")`, new: `infoField(info, "run_id")`,
		pkg: redisCache, test: "TestADeposedMasterThatCameBackIsNotBelieved",
	},
	{
		rule: "a server is trusted without being asked again",
		file: redisCache + "/trust.go", old: `if again, err := identify(ctx, conn); err != nil || again != id {`, new: `if again, err := id, error(nil); err != nil || again != id {`,
		pkg: redisCache, test: "TestAServerThatBecomesAnotherDuringItsReplayIsNotTrusted",
	},
	{
		rule: "a replica is believed",
		file: redisCache + "/trust.go", old: `infoField(info, "role") != "master"`, new: `infoField(info, "role") == "nobody"`,
		pkg: redisCache, test: "TestAReplicaIsNotBelieved",
	},
	{
		rule: "the replay leaves out what changed while the oldest value was stored",
		file: redisCache + "/trust.go", old: `+fenceTerm+replayMargin`, new: `+fenceTerm-replayMargin`,
		pkg: redisCache, test: "TestTheReplayReachesBackToTheOldestValue",
	},

	// Writers that died.
	{
		rule: "a sweep forgets what it did not evict",
		file: redisCache + "/sweep.go", old: `if _, err := evict(ctx, c.rdb, names); err != nil {`, new: `if err := ctx.Err(); err != nil {`,
		pkg: redisCache, test: "TestTheSweepFinishesWhatADeadWriterLeft",
	},
	{
		rule: "a sweep takes changes that are under way",
		file: repository + "/changelog.go", old: `"c.deadline <= ?", l.db.engine.fromNow(0)`, new: `"c.deadline <= ?", l.db.engine.fromNow(2*time.Hour)`,
		pkg: repository, test: onSQLite + "changes:_a_change_is_pending_from_its_commit,_and_overdue_after_its_deadline",
	},
	{
		rule: "a change is not recorded for the sweep",
		file: repository + "/apply.go", old: `return db.notePending(ctx, tx, fence)`, new: `return nil`,
		pkg: repository, test: "TestAChangeIsRecordedInItsTransaction/sqlite",
	},
	{
		rule: "a change is recorded outside of its transaction",
		file: repository + "/changelog.go", old: `_, err = tx.ExecContext(ctx,`, new: `_, err = db.write.ExecContext(ctx,`,
		pkg: repository, test: "TestAChangeIsRecordedInItsTransaction/postgres",
	},

	// The database.
	{
		rule: "the database does not ask for the fence",
		file: repository + "/change.go", old: `if err := fence.StillHeld(ctx); err != nil {`, new: `if err := error(nil); err != nil {`,
		pkg: repository, test: onSQLite + "images:_a_lost_fence_leaves_the_older_image_in_force",
	},
	{
		rule: "only the client watches the deadline",
		file: repository + "/postgres.go", old: `func (postgres) endBy(ctx context.Context, tx bun.Tx, deadline time.Time) error {`,
		new: `func (postgres) endBy(ctx context.Context, tx bun.Tx, deadline time.Time) error {
	if true {
		return nil
	}`,
		pkg: repository, test: "TestTheServerEndsALateTransaction",
	},
	{
		rule: "the server's limit is not set again after the work",
		file: repository + "/change.go", old: `if err := do(ctx, tx); err != nil {`, new: `if err := do(ctx, tx); err != nil || true {`,
		pkg: repository, test: "TestTheServersLimitIsSetLast",
	},

	// The cache of one process.
	{
		rule: "in memory, a load is stored whatever happened meanwhile",
		file: memoryCache + "/cache.go", old: "l.void = true\n\t\t\tdelete", new: "l.void = false\n\t\t\tdelete",
		pkg: memoryCache, test: cacheSuite + "a_load_from_before_a_change_fills_nothing_after_it",
	},
	{
		rule: "in memory, a load from before everything was dropped is stored",
		file: memoryCache + "/cache.go", old: "l.void = true\n\t}\n\tclear", new: "l.void = false\n\t}\n\tclear",
		pkg: memoryCache, test: "TestWhatIsLoadedWhileAllIsDroppedIsNotStored",
	},
	{
		rule: "in memory, a load under a fence is stored",
		file: memoryCache + "/cache.go", old: `if c.fences[key] > 0 {`, new: `if c.fences[key] < 0 {`,
		pkg: memoryCache, test: cacheSuite + "a_load_during_a_change_fills_nothing",
	},
	{
		rule: "in memory, a change leaves what was stored",
		file: memoryCache + "/cache.go", old: `c.entries.Invalidate(key)`, new: ``,
		pkg: memoryCache, test: cacheSuite + "after_a_change_nobody_gets_the_older_image",
	},
	{
		rule: "in memory, a fence is a flag and not a count",
		file: memoryCache + "/cache.go", old: `c.fences[key]++`, new: `c.fences[key] = 1`,
		pkg: memoryCache, test: cacheSuite + "the_end_of_one_change_does_not_end_the_fence_of_another",
	},

	// Lists.
	{
		rule: "lists do not follow a subject that is renamed",
		file: repository + "/migrations/sqlite/00014_catalogue_changes.sql",
		old:  `WHEN (OLD.folded_name, OLD.sort_key) IS NOT (NEW.folded_name, NEW.sort_key)`, new: `WHEN FALSE`,
		pkg: repository, test: onSQLite + "lists:_an_artist_is_found_by_its_sort_name_too",
	},
	{
		rule: "lists do not follow an image that changes",
		file: repository + "/migrations/sqlite/00014_catalogue_changes.sql",
		old:  `WHEN (OLD.image_id, OLD.locked, OLD.last_modified) IS NOT (NEW.image_id, NEW.locked, NEW.last_modified)`, new: `WHEN FALSE`,
		pkg: repository, test: onSQLite + "lists:_an_image_that_goes,_comes_or_changes_moves_its_subject_to_other_lists",
	},
	{
		rule: "a transaction that ends after younger ones is passed over",
		file: repository + "/postgres.go", old: `c.xid >= pg_snapshot_xmin(?) AND`, new: `c.xid >= pg_snapshot_xmax(?) AND`,
		pkg: repository, test: "TestListsFollowTransactionsThatEndInAnotherOrder",
	},
	{
		rule: "nobody notices that changes were forgotten",
		file: repository + "/sqlite.go", old: `first > seen+1 || last < seen`, new: `last < seen`,
		pkg: repository, test: "TestListsAreReadAnewOnceChangesAreForgotten/sqlite",
	},

	// One deployment, one setting.
	{
		rule: "a change is committed by settings that are not in force any more",
		file: repository + "/deployment.go", old: `revision != fence.Revision`, new: `revision < 0`,
		pkg: repository, test: onSQLite + "deployment:_a_change_by_former_rules_is_refused,_and_nothing_has_changed",
	},
	{
		rule: "the settings change while a change is being committed",
		file: repository + "/postgres.go", old: `return query.For("SHARE")`, new: `return query`,
		pkg: repository, test: "TestConformance/postgres/deployment:_an_update_waits_for_the_changes_that_are_being_committed",
	},
	{
		rule: "a move does not wait for those who are behind",
		file: settingsRules + "/state.go", old: ` || len(s.Behind()) > 0 {`, new: ` {`,
		pkg: settingsRules, test: "TestAMove",
	},
	{
		rule: "a Redis is believed at once that nobody has fenced for a while",
		file: following + "/membership.go", old: `if !old.rules.Read.Mode.Shared() || `, new: `if `,
		pkg: following, test: "TestASharedCacheIsRefreshedBeforeItIsBelieved",
	},
	{
		rule: "who has lost touch believes its caches",
		file: following + "/cache.go", old: `answer.Level != artwork.Filled && `, new: `answer.Level == artwork.Filled && `,
		pkg: following, test: "TestWhoLosesTouchBelievesNothing",
	},
	{
		rule: "what is kept in memory outlives a time in which others may have changed it",
		file: following + "/membership.go", old: "m.local.Drop()", new: "",
		pkg: following, test: "TestWhoLosesTouchBelievesNothing",
	},
	{
		rule: "copies are used for longer than the process may follow its settings",
		file: following + "/terms.go", old: `min(s.rules.Read.Policy().CopyTerm, s.until-t.now())`, new: `s.rules.Read.Policy().CopyTerm`,
		pkg: following, test: "TestAMoveDoesNotWaitForTheDead",
	},
	{
		rule: "an answer counts that was asked for under settings long gone",
		file: following + "/cache.go", old: `c.member.terms.lapsed(s) {
		return c.caches.None.Fetch(ctx, key, load)`, new: `c.member.terms.lapsed(c.member.terms.current.Load()) {
		return c.caches.None.Fetch(ctx, key, load)`,
		pkg: following, test: "TestAnAnswerThatTookTooLong",
	},
	{
		rule: "changes that began under former settings are not waited for",
		file: following + "/membership.go", old: `oldest = min(oldest, revision)`, new: `oldest = max(oldest, revision)`,
		pkg: following, test: "TestAChangeFromBeforeIsWaitedFor",
	},
	{
		rule: "copies that were made under former settings are not waited for",
		file: following + "/membership.go", old: `m.settles = m.terms.now() + old.rules.CopyWait()`, new: `m.settles = m.terms.now()`,
		pkg: following, test: "TestCopiesFromBeforeAreWaitedFor",
	},
	{
		rule: "a replay does not reach back to what was cached for longer",
		file: settingsRules + "/rules.go", old: `ttl := r.FormerTTL`, new: `ttl := 0 * r.FormerTTL`,
		pkg: settingsRules, test: "TestTermsOfRules",
	},
	{
		rule: "what was purged is recorded again by who still knew it",
		file: repository + "/apply.go", old: `if !a.Known {`, new: `if true {`,
		pkg: repository, test: onSQLite + "purge:_a_record_that_is_known_no_longer_is_not_recorded_anew",
	},
	{
		rule: "a purge leaves what was considered for the slot",
		file: repository + "/revise.go", old: `return forgetConsidered(ctx, tx, purge.Place)`, new: `return nil`,
		pkg: repository, test: onSQLite + "considered:_a_purge_forgets_what_was_considered_for_the_slot,_and_nothing_else",
	},
	{
		rule: "an earlier search takes the place of a later one",
		file: repository + "/considered.go", old: `Where("c.at <= EXCLUDED.at")`, new: `Where("c.at <> EXCLUDED.at")`,
		pkg: repository, test: onSQLite + "considered:_the_last_of_each_occasion_is_kept",
	},
	{
		rule: "a provider takes back what a caller said of a licence",
		file: domainTerms + "/provenance.go", old: `news.StatedBy < known.StatedBy || `, new: ``,
		pkg: memoryCache, test: memorySuite + "rights:_no_provider_takes_back_what_a_caller_said,_and_silence_unsays_nothing",
	},
	{
		rule: "an apply waits for who cannot tell the licence",
		file: applying + "/external.go", old: `lookUpBudget = 2 * time.Second`, new: `lookUpBudget = 2 * time.Hour`,
		pkg: applying, test: "TestWhatIsNotKnownFailsNoApply",
	},
	{
		rule: "an address is told with its signature",
		file: explaining + "/explainimage.go", old: `= nil, "", false, "", ""`, new: `= nil, u.RawQuery, false, "", ""`,
		pkg: explaining, test: "TestAddressesKeepTheirSecrets",
	},
	{
		rule: "a purge removes bytes that are on their way into a record",
		file: applying + "/purge.go", old: `u.now().Add(-settled)`, new: `u.now().Add(settled)`,
		pkg: applying, test: "TestPurge",
	},
	{
		rule: "a purge removes bytes to which another record refers",
		file: applying + "/purge.go", old: `if err == nil && refers {`, new: `if refers = false; refers {`,
		pkg: applying, test: "TestPurgeLeavesWhatOthersReferTo",
	},
	{
		rule: "an orphan is removed without asking once more whether a record refers to it",
		file: verifying + "/doc.go", old: `if err != nil || refers {`, new: `if _ = refers; err != nil {`,
		pkg: verifying, test: "TestARecordThatTheListMissesKeepsItsBytes",
	},
	{
		rule: "an orphan is removed that was stored anew meanwhile",
		file: verifying + "/doc.go", old: `o.store.Remove(ctx, hash, since)`, new: `o.store.Remove(ctx, hash, since.Add(2*o.grace))`,
		pkg: verifying, test: "TestWhatIsStoredAnewDuringASweepStays",
	},
	{
		rule: "whoever has the wrong database removes every image",
		file: verifying + "/sweep.go", old: `len(expired) > suspicious &&`, new: `false &&`,
		pkg: verifying, test: "TestAForeignDatabaseRemovesNothing",
	},
	{
		rule: "an object is deleted although a Put may have renewed it",
		file: bucketStore + "/remove.go", old: "err := s.copy(ctx, s.key(hash), s.asideKey(hash))", new: "err := ctx.Err()",
		pkg: bucketStore, test: "TestAPutBetweenLookAndDeletion/before_the_deletion",
	},
	{
		rule: "an object that was set aside does not wait",
		file: bucketStore + "/remove.go", old: "since.After(time.Now())", new: "!since.IsZero()",
		pkg: bucketStore, test: "TestAPutBetweenLookAndDeletion/before_the_deletion",
	},
	{
		rule: "a damaged file is taken for the image",
		file: diskStore + "/put.go", old: "err != nil || !bytes.Equal(want, got)", new: "err != nil && !bytes.Equal(want, got)",
		pkg: diskStore, test: "TestPutReplacesDamagedFileAtomically",
	},
	{
		rule: "a focal point replaces the image that had another one",
		file: domainTerms + "/image.go", old: `, fmt.Sprintf("%.6f %.6f", point.X, point.Y))`, new: `)`,
		pkg: repository, test: onSQLite + "focal_points:_another_one_is_another_image_of_the_same_bytes,_and_can_be_undone",
	},
	{
		rule: "a master that was away is still known",
		file: redisCache + "/trust.go", old: "t.known = nil", new: "_ = t.known",
		pkg: "test/consistency", test: "TestAMasterThatWasAwayIsNotBelieved",
	},

	// Bulk applies.
	{
		rule: "what was refused is said to be recorded",
		file: applying + "/progress.go", old: `		if err == nil {
			p.begin(Confirming)`, new: `		if fence.StillHeld != nil {
			p.begin(Confirming)`,
		pkg: applying, test: "TestAFailureEndsThePhases",
	},
	{
		rule: "what is wrong with one image takes its batch along",
		file: applying + "/batch.go", old: `*lost || !isItsOwn(err)`, new: `err != nil`,
		pkg: applying, test: "TestABadApplicationFailsAlone",
	},
	{
		rule: "who goes on with a job does again what was done already",
		file: inBulk + "/run.go", old: `p.application.IdempotencyKey = idempotencyKey(r.job.ID, item.N)`, new: ``,
		pkg: inBulk, test: "TestADeadInstanceIsReplaced",
	},
	{
		rule: "an idempotency key is not looked for",
		file: repository + "/apply.go", old: `b.done[a.IdempotencyKey] {`, new: `false {`,
		pkg: repository, test: onSQLite + "images:_under_one_idempotency_key_an_image_takes_force_once",
	},
	{
		rule: "who has lost the claim on a job goes on",
		file: jobLoop + "/claim.go", old: `return ErrLost`, new: `return nil`,
		pkg: inBulk, test: "TestWhoHasLostTheClaimStops",
	},
	{
		rule: "who has lost the claim on a job records results",
		file: repository + "/jobs.go", old: `return errNotHeld()`, new: `return nil`,
		pkg: repository, test: onSQLite + "jobs:_without_the_claim_no_result_is_kept",
	},
	{
		rule: "an instance that stops keeps its job",
		file: inBulk + "/runner.go", old: `r.release(ctx, claim)`, new: ``,
		pkg: inBulk, test: "TestAStopLeavesTheRestToOthersAtOnce",
	},

	// The activity log.
	{
		rule: "an entry is there although its change is not",
		file: memoryCache + "/draft.go", old: `d.entries = append(d.entries, kept)`, new: `d.r.note(kept)`,
		pkg: memoryCache, test: memorySuite + "activity:_a_lost_fence_leaves_no_entry",
	},
	{
		rule: "what is so already is an activity",
		file: activityLog + "/changes.go", old: `return entry, !bytes.Equal(entry.Before, entry.After)`, new: `return entry, true`,
		pkg: memoryCache, test: memorySuite + "activity:_what_is_so_already_is_not_there",
	},

	// What comes from outside.
	{
		rule: "an address is checked before it is looked up for the connection",
		file: downloads + "/safefetch.go", old: `return guarded.DialContext(`, new: `_ = guarded; return free.DialContext(`,
		pkg: downloads, test: "TestRebinding",
	},
	{
		rule: "what a URL redirects to is not checked",
		file: downloads + "/safefetch.go", old: `if err := f.check(req.URL); err != nil {`, new: `if err := error(nil); err != nil {`,
		pkg: downloads, test: "TestRedirects",
	},
	{
		rule: "a download may be as long as it likes",
		file: downloads + "/safefetch.go", old: `io.ReadAll(told(ctx, http.MaxBytesReader(nil, res.Body, limit), res.ContentLength))`, new: `io.ReadAll(io.LimitReader(res.Body, 2*limit))`,
		pkg: downloads, test: "TestDownload",
	},
	{
		rule: "an image may be a document or a script too",
		file: imageChecks + "/format.go", old: `if other := polyglot(content);`, new: `if other := polyglot(nil);`,
		pkg: imageChecks, test: "TestPolyglots",
	},
	{
		rule: "an image is decoded whatever size its header declares",
		file: imageChecks + "/inspector.go", old: `case size.X*size.Y > f.maxPixels():`, new: `case size.X*size.Y < 0:`,
		pkg: imageChecks, test: "TestImagesThatAreTooLarge",
	},
	{
		rule: "a form that breaks off counts as one that ends",
		file: "adapters/rest/metadata.go", old: `if err == io.EOF {`, new: `if errors.Is(err, io.EOF) {`,
		pkg: "test/integration", test: "TestHostileInputs/attempts/form:_end_that_is_cut_off",
	},
	{
		// The twin is in the program that the test builds.
		rule: "half a file has the name of the whole",
		file: "test/crashpoint/points.go", old: "\timported := map[string]bool{}\n", new: `	put := "\t\terr = s.write(ctx, path, content)\n"
	all = append(all, overlay.Edit{File: "adapters/diskstore/put.go", Old: put, New: "_ = os.WriteFile(path, content[:1], fileMode)\n" +
		reach(Writing, "", nil) + "_ = os.Remove(path)\n" + put})
	imported := map[string]bool{}
`,
		pkg: "test/crash", test: "TestCrashes/SQLite_and_memory",
	},

	// Live events.
	{
		rule: "a client that has fallen behind goes on as if nothing was missing",
		file: announcing + "/feed.go", old: `s.lost = reasonBehind`, new: `s.next = f.first`,
		pkg: announcing, test: "TestFeed/a_client_that_is_too_slow_has_to_reload",
	},
	{
		rule: "events that missed the log while others were made good are forgotten",
		file: announcing + "/feed.go", old: `f.owed.CompareAndSwap(owed, 0)`, new: `f.owed.Swap(0) > 0`,
		pkg: announcing, test: "TestWhatIsOwedMeanwhileStaysOwed",
	},
	{
		rule: "what a dead writer has committed is announced by nobody",
		file: announcing + "/announcer.go", old: `resumes || a.suspects[place] == at`, new: `resumes`,
		pkg: announcing, test: "TestAWriterThatDies",
	},
	{
		rule: "what the last writer of a fleet has committed is announced by nobody",
		file: announcing + "/announcer.go", old: `!a.begun && !latest.IsZero()`, new: `false`,
		pkg: announcing, test: "TestAFleetThatDies",
	},
	{
		rule: "entries that the stream has lost are not missed",
		file: redisCache + "/eventlog.go", old: `if message.Values["before"] != r.position {`, new: `if false {`,
		pkg: redisCache, test: "TestAGapIsNoticed/one_entry_deleted",
	},
	{
		rule: "a token stays in the query",
		file: httpAPI + "/events.go", old: `query.Del("token")`, new: `_ = query`,
		pkg: httpAPI, test: "TestATokenLeavesTheQuery",
	},

	// Filling empty slots.
	{
		rule: "a fill displaces what came in between",
		file: filling + "/run.go", old: `application.Automatic = true`, new: `application.Automatic = false`,
		pkg: filling, test: "TestWhatCameInBetweenWins",
	},
	{
		rule: "what was not found is asked for again",
		file: filling + "/examine.go", old: "case Absent:\n\t\treturn true", new: "case Absent:\n\t\treturn false",
		pkg: filling, test: "TestWhatWasNotFoundIsNotAskedForAgain",
	},
	{
		rule: "a provider that failed has no image",
		file: filling + "/examine.go", old: `if len(found.Failures) == 0 {`, new: `if len(found.Failures) >= 0 {`,
		pkg: filling, test: "TestAFailedProviderIsNoAbsence",
	},
	{
		rule: "an ambiguous name will do",
		file: filling + "/examine.go", old: `if good[0].ByName {`, new: `if !good[0].ByName {`,
		pkg: filling, test: "TestNames",
	},
	{
		rule: "two jobs work at one type of slot",
		file: repository + "/fill.go", old: `return !busy[row.Slot] && `, new: `return !row.Held && `,
		pkg: repository, test: onSQLite + "fill:_the_oldest_is_claimed_first,_and_one_for_a_slot_at_a_time",
	},

	// Providers of images.
	{
		rule: "a provider is asked out of turn",
		file: askedByAll + "/endpoint.go", old: `e.client.limiter.Wait(ctx, e.service.Provider, e.service.Rate)`, new: `ctx.Err()`,
		pkg: aProvider, test: "TestProvider/limiter:_every_request_has_its_turn",
	},
	{
		rule: "an answer is read to its end, however long it is",
		file: askedByAll + "/endpoint.go", old: `http.MaxBytesReader(nil, res.Body, maxAnswer)`, new: `res.Body`,
		pkg: aProvider, test: "TestProvider/ask:_an_answer_that_is_not_understood_is_DownloadFailed",
	},
	{
		rule: "a provider leads into the private network",
		file: askedByAll + "/endpoint.go", old: `if address == named {`, new: `if address != named || address == named {`,
		pkg: askedByAll, test: "TestRedirects",
	},
	{
		rule: "another host is told the key",
		file: askedByAll + "/endpoint.go", old: `if req.URL.Host != e.base.Host {`, new: `if req.URL.Host == "" {`,
		pkg: askedByAll, test: "TestRedirects",
	},
	{
		rule: "a URL of any scheme is offered",
		file: askedByAll + "/api.go", old: "\tdefault:\n\t\treturn \"\"", new: "\tdefault:",
		pkg: aProvider, test: "TestProvider/found:_a_URL_that_cannot_be_offered_is_left_out,_with_its_candidate",
	},
	{
		rule: "the key is in errors",
		file: askedByAll + "/failure.go", old: `e.say(artwork.Unavailable, cause(err), "%s", what(err))`, new: `e.say(artwork.Unavailable, err, "%s", what(err))`,
		pkg: askedByAll, test: "TestNoKeyInErrors",
	},
	// Identity.
	{
		rule: "a session that has ended counts for longer than the bound",
		file: signingIn + "/authenticate.go", old: `began.Before(recent.until)`, new: `began.Before(recent.until.Add(time.Minute))`,
		pkg: signingIn, test: "TestARevocationHoldsOnTheOtherInstance",
	},
	{
		rule: "an answer from before a revocation is remembered",
		file: signingIn + "/authenticate.go", old: `if turn == r.turn {`, new: `if turn <= r.turn {`,
		pkg: signingIn, test: "TestAnAnswerFromBeforeARevocationIsNotRemembered",
	},
	{
		rule: "a user that there is not costs less time",
		file: signingIn + "/password.go", old: `matches, outdated, err := p.hasher.Matches(`, new: `if found.PasswordHash == "" {
		return account.Account{}, errWrong()
	}
	matches, outdated, err := p.hasher.Matches(`,
		pkg: signingIn, test: "TestWhoIsThereIsNotTold",
	},
	{
		rule: "an access token need not be for Gatefold",
		file: accessJWTs + "/jwttokens.go", old: `jwt.WithAudience(name), `, new: ``,
		pkg: accessJWTs, test: "TestForgeries",
	},
	{
		rule: "a refresh token that comes back leaves its session alone",
		file: repository + "/sessions.go", old: `if err := remove(ctx, tx, session); err != nil {
			return err
		}
		return note(ctx, tx, account.OfReuse(by, user))`, new: `return note(ctx, tx, account.OfReuse(by, user))`,
		pkg: repository, test: onSQLite + "sessions:_another_token_ends_the_session",
	},

	// Renditions.
	{
		rule: "whoever has waited for a turn renders again",
		file: rendering + "/renditions.go", old: `if openErr == nil {`, new: `if openErr == nil && taken && content == nil {`,
		pkg: rendering, test: "TestManyWhoAskAtOnceShareARendering",
	},
	{
		rule: "who names a format gets another one that is ready",
		file: rendering + "/renditions.go", old: `in.AnyFormat && auto != in.Key.Format`, new: `auto != in.Key.Format`,
		pkg: rendering, test: "TestANamedFormatHasNoOtherStandIn",
	},
	{
		rule: "a file that was replaced is read from the descriptor of the one before",
		file: diskStore + "/descriptors.go", old: `stat.Nlink > 0`, new: `stat.Nlink >= 0`,
		pkg: diskStore, test: "TestAKeptDescriptorIsOfTheFileThatIsThere",
	},
	{
		rule: "the turn of who has died is never given to another",
		file: repository + "/turns.go", old: `WHERE f.until <= ?`, new: `WHERE f.until <= ? AND false`,
		pkg: repository, test: "TestTurnsOfTheDead/sqlite",
	},
	{
		rule: "any number of images wait to be rendered",
		file: rendering + "/renditions.go", old: `r.pixels+pixels > r.limits.Pixels`, new: `r.pixels+pixels < 0`,
		pkg: rendering, test: "TestTheQueueIsBounded",
	},
	{
		rule: "a rendition of another focal point is served",
		file: domainTerms + "/rendition.go", old: `if !r.Square {`, new: `if r.Edge > 0 {`,
		pkg: domainTerms, test: "TestRenditionKeys",
	},

	// Settings of providers.
	{
		rule: "a key is kept in the clear",
		file: setUp + "/settings.go", old: `sealed, err := s.resolver.seal(p.ID, field, text)`, new: `sealed, err := []byte(text), error(nil)`,
		pkg: setUp, test: "TestWhatIsSetIsFollowedByEveryInstance",
	},
	{
		rule: "a stored key follows to another address",
		file: setUp + "/settings.go", old: `field.IsKey() && !given &&`, new: `field.IsKey() && given &&`,
		pkg: setUp, test: "TestNoKeyFollowsToAnotherAddress",
	},
	{
		rule: "the operator's key follows to an address that an admin sets",
		file: setUp + "/resolve.go", old: `field.IsURL() && ownKey && !given.Pinned`, new: `field.IsURL() && ownKey && given.Pinned`,
		pkg: setUp, test: "TestNoKeyFollowsToAnotherAddress",
	},
	{
		rule: "an address that an admin sets may be in the private network",
		file: askedByAll + "/endpoint.go", old: `named = ""`, new: `_ = named`,
		pkg: theProviders, test: "TestAnAdminLeadsNobodyIntoThePrivateNetwork",
	},
	{
		rule: "what one address answered is shown for another",
		file: "application/findimages/answers.go", old: `if provider.Origin != "" {`, new: `if provider.Origin == "-" {`,
		pkg: theProviders, test: "TestAnswersOfAnotherOriginDoNotCount",
	},

	// Limits, and private images.
	{
		rule: "one request too many is counted",
		file: redisCache + "/lua/limit.lua", old: `if used >= limit then`, new: `if used > limit then`,
		pkg: redisCache, test: "TestMeter/as_many_as_the_limit_are_counted,_and_the_next_one_waits",
	},
	{
		rule: "a minute has more requests than the limit",
		file: limiting + "/ports.go", old: `int(Window/Slot) + 1`, new: `int(Window / Slot)`,
		pkg: memoryCache, test: "TestNoWindowHasMoreThanTheLimit",
	},
	{
		rule: "who has tried too many tokens is told of the right one",
		file: limiting + "/limiter.go", old: `good || wait <= 0`, new: `good || wait <= 0 || true`,
		pkg: httpAPI, test: "TestGuessedTokens",
	},
	{
		rule: "a public route that nobody has thought of is open where images are private",
		file: httpAPI + "/private.go", old: `!isAlwaysPublic(path)`, new: `servesImage(path)`,
		pkg: httpAPI, test: "TestPrivateIsWhatIsNotNamed",
	},
	{
		rule: "a signature is good for every path",
		file: signing + "/signimages.go", old: `[]byte(path + "\n" + expires)`, new: `[]byte(expires)`,
		pkg: signing, test: "TestASignatureIsForOnePathAndATime",
	},

	// Looking into the cache.
	{
		rule: "looking into Redis prolongs what is there",
		file: redisCache + "/lua/inspect.lua", old: `local changes = 0`, new: `redis.call('PEXPIRE', KEYS[1], 7200000)
local changes = 0`,
		pkg: redisCache, test: "TestInspectChangesNothing",
	},
	{
		rule: "looking at a key that holds nothing takes a lease",
		file: redisCache + "/lua/inspect.lua", old: `  return false`, new: `  redis.call('SET', KEYS[1], 'Ltaken', 'PX', 5000)
  return false`,
		pkg: redisCache, test: "TestInspect/looking_takes_no_lease",
	},

	// Deletions.
	{
		rule: "a deletion fences every key of the subject",
		file: deleting + "/deletesubjects.go", old: `return s.cache.Change(ctx, keys, commit)`, new: `return s.cache.Change(ctx, keys[:1], commit)`,
		pkg: deleting, test: "TestWhatIsCachedGoesWithTheSubject",
	},
	{
		rule: "a deletion that is repeated tells the cache again",
		file: deleting + "/deletesubjects.go", old: `	begin := d.now()
	if in.Albums`, new: `	begin := d.now()
	if deleted, err := d.bin.Find(ctx, in.Subject); err == nil {
		return Out{Until: deleted.At.Add(d.cfg.Keep)}, nil
	}
	if in.Albums`,
		pkg: deleting, test: "TestWhatIsCachedGoesWithTheSubject",
	},
	{
		rule: "what was deleted counts as modified",
		file: repository + "/bin.go", old: `board.move(board.slots[place])`, new: `_ = place`,
		pkg: repository, test: onSQLite + "bin:_every_place_counts_as_modified",
	},
	{
		rule: "nobody creates a subject that can be restored",
		file: repository + "/bin.go", old: `if len(rows) > 0 {
			return catalog.DeletedError`, new: `if len(rows) > 1 {
			return catalog.DeletedError`,
		pkg: repository, test: onSQLite + "bin:_nobody_creates_what_can_be_restored",
	},
	{
		rule: "bytes of what can be restored stay",
		file: verifying + "/sweep.go", old: `s.bin.Forget(ctx, s.cfg.KeepDeleted, forgetAtOnce)`, new: `s.bin.Forget(ctx, 0, forgetAtOnce)`,
		pkg: verifying, test: "TestSweepForgetsWhatWasDeletedLongAgo",
	},
	{
		rule: "a stream ends with its credential",
		file: httpAPI + "/events.go", old: `if err := s.may(); err != nil {`, new: `if err := s.may(); err != nil && ctx.Err() != nil {`,
		pkg: httpAPI, test: "TestAStreamEndsWithItsCredential",
	},
	{
		rule: "uploads are bounded together",
		file: httpAPI + "/uploadroom.go", old: `needed = most // of what is longer, no more is read`, new: `needed = 1`,
		pkg: httpAPI, test: "TestUploadsAreBoundedTogether",
	},
	{
		rule: "a session does not outlive its age",
		file: "domain/account/account.go", old: `return min(t.Life, t.MaxAge-age)`, new: `return max(t.Life, t.MaxAge-age)`,
		pkg: memoryCache, test: memorySuite + "sessions:_none_gets_older_than_it_may,_however_often_it_is_refreshed",
	},
	{
		rule: "whoever may read has this server look at any address",
		file: "application/previewimage/previewimage.go", old: `[]byte(expires + "\n" + url)`, new: `[]byte(expires)`,
		pkg: "application/previewimage", test: "TestOnlyWhatWasOfferedIsAskedFor",
	},
	// Traces.
	{
		rule: "who a user is, is told to the collector",
		file: recording + "/cache.go", old: `if key.Subject.Kind != artwork.UserSubject {`, new: `if key.Subject.Kind != 0 {`,
		pkg: recording, test: "TestUsersAreNotNamed",
	},
	{
		rule: "values of statements are told to the collector",
		file: repository + "/observe.go", old: `return withoutValues(s.query)`, new: `return s.query`,
		pkg: repository, test: "TestTextsAreWithoutValues",
	},
	// Health.
	{
		rule: "a part that fails once takes the instance out of service",
		file: watching + "/health.go", old: `leaveAfter  = 3`, new: `leaveAfter  = 1`,
		pkg: watching, test: "TestAFlappingPartDoesNotFlapTheInstance",
	},
	{
		rule: "a part that never answers holds up the checks",
		file: watching + "/health.go", old: `	case <-time.After(grace):
		return ctx.Err()
`, new: ``,
		pkg: watching, test: "TestAPartThatNeverAnswers",
	},
}
