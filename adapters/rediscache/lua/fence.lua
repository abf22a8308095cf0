-- Adds a change's token to the fence of a key.
--
-- KEYS[1]  the key
-- ARGV[1]  the token: letters and digits, unique to one change
-- ARGV[2]  the token's term in milliseconds
-- Returns 1.
--
-- A fence is "F" and then "token@expiry|" for each change under way, expiry in
-- milliseconds of this server's clock. It is a set because changes overlap: the
-- end of one must not end the fence of another. Tokens of others stay until
-- they expire; a value, a lease or an absent mark is overwritten. The key lives
-- as long as its longest token. Adding a token again renews its term.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local expiry = now + tonumber(ARGV[2])
local last = expiry
local tokens = {}
local held = redis.call('GET', KEYS[1])
if held and held:sub(1, 1) == 'F' then
  for token, until_ms in held:sub(2):gmatch('(%w+)@(%d+)|') do
    until_ms = tonumber(until_ms)
    if until_ms > now and token ~= ARGV[1] then
      tokens[#tokens + 1] = string.format('%s@%.0f|', token, until_ms)
      last = math.max(last, until_ms)
    end
  end
end
tokens[#tokens + 1] = string.format('%s@%.0f|', ARGV[1], expiry)
redis.call('SET', KEYS[1], 'F' .. table.concat(tokens), 'PXAT', string.format('%.0f', last))
return 1
