-- Adds an event to the stream. Every entry has a token, and names the one before it,
-- so that who follows the stream notices when others were lost in between.
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local before = last[1] and last[1][1] .. '.' .. last[1][2][2] or '0-0'
return redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'token', ARGV[2], 'before', before, 'name', ARGV[3], 'data', ARGV[4])
