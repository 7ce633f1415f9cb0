"""The steps in which jobs go aside and come back, as Redis runs them: each all or nothing. Knows Bull's keys only by their position."""

from __future__ import annotations

LINES = ("wait", "paused", "active")
SETS = ("completed", "failed", "delayed")
# Stands in a line for a job that leaves it, for no longer than one step: taking a hundred out one by one would walk it as often.
GONE = "vccbot:gone"

# KEYS: 3 lines, 3 sorted sets, priority, meta-paused, our index, jobs, line; then of each job its hash, log, lock, and where both go.
# ARGV: the stand-in, the index's field; then of each job its id and where it was seen in which line, counted from the right.
TAKE = """
local call, gone = redis.call, ARGV[1]
local names = {'wait', 'paused', 'active', 'completed', 'failed', 'delayed'}
local held = call('EXISTS', KEYS[8]) == 1
local touched, behind_at, taken = {}, {{}, {}, {}}, 0
local function ahead_of(line, at)
  local found = gone
  while found == gone do
    at = at + 1
    if at >= 0 then return false end
    found = call('LINDEX', KEYS[line], at)
  end
  return found
end
local function behind_of(line, at)
  local first = at
  local found = gone
  while found == gone do
    at = at - 1
    found = behind_at[line][at]
    if found == nil then found = call('LINDEX', KEYS[line], at) end
  end
  behind_at[line][first] = found
  return found
end
local function seen(id, where)
  local found = {}
  for line, at in string.gmatch(where, '(%d):(%-%d+)') do
    line, at = tonumber(line), tonumber(at)
    if call('LINDEX', KEYS[line], at) == id then found[#found + 1] = {line, at} end
  end
  return found
end
local function sought(id)
  for line = 1, 2 do
    local at = call('LPOS', KEYS[line], id)
    if at then return {{line, at - call('LLEN', KEYS[line])}} end
  end
  return {}
end
local function take(id, where, key)
  local job, log = KEYS[key], KEYS[key + 1]
  if call('EXISTS', KEYS[key + 2]) == 1 then return -1 end
  if call('TYPE', job).ok ~= 'hash' or call('EXISTS', KEYS[key + 3]) == 1 then return 0 end
  local note, any = {sets = {}, priority = call('ZSCORE', KEYS[7], id)}, false
  for set = 4, 6 do
    local score = call('ZSCORE', KEYS[set], id)
    if score then note.sets[names[set]], any = score, true end
  end
  local places = seen(id, where)
  if not any and #places == 0 then places = sought(id) end
  if not any and #places == 0 then return 0 end
  for _, place in ipairs(places) do
    local line, at = place[1], place[2]
    call('RPUSH', KEYS[11], cjson.encode({id, names[line], held, ahead_of(line, at), behind_of(line, at)}))
    call('LSET', KEYS[line], at, gone)
    touched[line] = true
  end
  for set = 4, 6 do call('ZREM', KEYS[set], id) end
  call('ZREM', KEYS[7], id)
  call('HSET', KEYS[10], id, cjson.encode(note))
  call('RENAME', job, KEYS[key + 3])
  if call('EXISTS', log) == 1 then call('RENAME', log, KEYS[key + 4]) end
  taken = taken + 1
  return 1
end
local answers = {}
for at = 3, #ARGV, 2 do
  answers[#answers + 1] = take(ARGV[at], ARGV[at + 1], 12 + (at - 3) / 2 * 5)
end
for line in pairs(touched) do call('LREM', KEYS[line], 0, gone) end
if taken > 0 then call('HINCRBY', KEYS[9], ARGV[2], taken) end
return answers
"""

# KEYS: 3 sorted sets, priority, our jobs; then of each job its hash, log, and where both are. ARGV: the ids.
# Answers 1 when the job is home, 0 when another one has its id by now, which is left alone, or when Redis has lost it.
RETURN = """
local call = redis.call
local sets = {completed = KEYS[1], failed = KEYS[2], delayed = KEYS[3]}
local function back(id, key)
  local noted = call('HGET', KEYS[5], id)
  if not noted then return 1 end
  if call('EXISTS', KEYS[key + 2]) == 0 or call('EXISTS', KEYS[key]) == 1 then return 0 end
  local note = cjson.decode(noted)
  call('RENAME', KEYS[key + 2], KEYS[key])
  if call('EXISTS', KEYS[key + 3]) == 1 then call('RENAME', KEYS[key + 3], KEYS[key + 1]) end
  for set, score in pairs(note.sets) do call('ZADD', sets[set], score, id) end
  if note.priority then call('ZADD', KEYS[4], note.priority, id) end
  call('HDEL', KEYS[5], id)
  return 1
end
local answers = {}
for at, id in ipairs(ARGV) do answers[at] = back(id, 6 + (at - 1) * 4) end
return answers
"""
