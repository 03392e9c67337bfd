%% SPDX-License-Identifier: Apache-2.0 OR MIT
%%
%% The workloads of bench-rt.c for Erlang. workloads:main([Name, N]) prints the same JSON line;
%% the number of schedulers is the emulator's (+S).

-module(workloads).
-export([main/1]).

main([Name, Text]) ->
    N = list_to_integer(Text),
    Runs = lists:sort([run(Name, N) || _ <- lists:seq(1, 3)]),
    io:format("{\"bench\":\"~s\",\"peer\":\"erlang\",\"workers\":~b,\"n\":~b,"
              "\"ns_per_op\":~.1f}~n",
              [Name, erlang:system_info(schedulers_online), N, lists:nth(2, Runs) / N]),
    halt(0).

%% In a process of its own; the nanoseconds of the whole.
run(Name, N) ->
    Self = self(),
    spawn(fun() -> Self ! {took, timed(Name, N)} end),
    receive {took, Time} -> Time end.

timed(Name, N) ->
    Go = prepare(Name, N),
    Start = erlang:monotonic_time(nanosecond),
    Go(),
    erlang:monotonic_time(nanosecond) - Start.

%% What lies outside of the measured time; returns what is measured.
prepare("pingpong", N) -> token(ring(2), N);
prepare("threadring", N) -> token(ring(503), N);
prepare("call", N) ->
    Server = spawn_link(fun server/0),
    fun() -> call(Server, 0, N) end;
prepare("counting", N) -> producers(1, N);
prepare("fanin16", N) -> producers(16, N);
prepare("forkjoin", N) ->
    Self = self(),
    Tines = [spawn_link(fun() -> count(N div 60), Self ! done end) || _ <- lists:seq(1, 60)],
    fun() -> deal(list_to_tuple(Tines), N div 60 * 60), wait(done, 60) end;
prepare("spawn", N) ->
    fun() -> mayflies(N), wait(done, N) end;
prepare("spawnchurn", N) ->
    fun() -> [begin mayflies(1000), wait(done, 1000) end || _ <- lists:seq(1, N div 1000)] end;
prepare("big", N) ->
    Self = self(),
    Crowd = [spawn_link(fun() -> receive {crowd, C} -> neighbour(C, N div 120, Self) end end)
             || _ <- lists:seq(1, 120)],
    Tuple = list_to_tuple(Crowd),
    fun() -> [P ! {crowd, Tuple} || P <- Crowd], wait(done, 120), [P ! stop || P <- Crowd] end;
prepare("chameneos", N) ->
    Self = self(),
    Creatures = [spawn_link(fun() -> creature(Self, I rem 3, 0) end) || I <- lists:seq(1, 100)],
    fun() -> [P ! go || P <- Creatures], mall(none, N), close(100, 0, 2 * N) end.

ring(Size) ->
    Last = self(),
    lists:foldl(fun(_, Next) -> spawn_link(fun() -> forward(Next, Last) end) end,
                self(), lists:seq(1, Size - 1)).

token(First, N) ->
    Self = self(),
    fun() -> First ! N, forward(First, Self) end.

forward(Next, Home) ->
    receive
        0 -> Home ! over;
        over -> ok;
        Left -> Next ! Left - 1, forward(Next, Home)
    end.

server() ->
    receive {From, Ref, X} -> From ! {Ref, X + 1}, server() end.

call(_, N, N) -> ok;
call(Server, X, N) ->
    Ref = erlang:monitor(process, Server, [{alias, reply_demonitor}]),
    Server ! {Ref, Ref, X},
    receive {Ref, Y} -> call(Server, Y, N) end.

producers(P, N) ->
    Self = self(),
    Share = N div P,
    Counter = spawn_link(fun() -> count(Share * P), Self ! done end),
    fun() ->
        [spawn_link(fun() -> flood(Counter, Share) end) || _ <- lists:seq(1, P)],
        wait(done, 1)
    end.

flood(_, 0) -> ok;
flood(To, N) -> To ! N, flood(To, N - 1).

count(0) -> ok;
count(N) -> receive _ -> count(N - 1) end.

deal(_, 0) -> ok;
deal(Tines, N) -> element(N rem 60 + 1, Tines) ! N, deal(Tines, N - 1).

mayflies(0) -> ok;
mayflies(N) ->
    Self = self(),
    spawn(fun() -> receive _ -> Self ! done end end) ! N,
    mayflies(N - 1).

wait(_, 0) -> ok;
wait(What, N) -> receive What -> wait(What, N - 1) end.

neighbour(Crowd, N, Home) ->
    element(rand:uniform(120), Crowd) ! {ping, self()},
    neighbour_wait(Crowd, N, Home).

neighbour_wait(Crowd, N, Home) ->
    receive
        {ping, From} -> From ! pong, neighbour_wait(Crowd, N, Home);
        pong when N =:= 1 -> Home ! done, neighbour_wait(Crowd, 0, Home);
        pong -> neighbour(Crowd, N - 1, Home);
        stop -> ok
    end.

creature(Mall, Colour, Meetings) ->
    receive
        go -> Mall ! {self(), Colour}, creature(Mall, Colour, Meetings);
        home -> Mall ! {met, Meetings};
        Colour -> Mall ! {self(), Colour}, creature(Mall, Colour, Meetings + 1);
        Other ->
            Mall ! {self(), 3 - Colour - Other},
            creature(Mall, 3 - Colour - Other, Meetings + 1)
    end.

mall(_, 0) -> ok;
mall(none, N) -> receive {P, C} -> mall({P, C}, N) end;
mall({P, C}, N) -> receive {Q, D} -> P ! D, Q ! C, mall(none, N - 1) end.

close(0, Sum, Sum) -> ok;
close(Left, Sum, Expected) ->
    receive
        {met, Meetings} -> close(Left - 1, Sum + Meetings, Expected);
        {P, _} -> P ! home, close(Left, Sum, Expected)
    end.
