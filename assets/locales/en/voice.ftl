### Voice messages: recording, listening.

record-voice = Record a voice message
voice-after-accept = Voice messages can be sent once they have accepted your request
microphone-opens = Just a moment…
recording = Recording, { $time }
recording-left = { $time } left
stop-recording = Stop recording
forget-recording = Delete recording
forget-recording-text = What you said is not kept.
forget-recording-yes = Delete
too-short = That was too short for a voice message.

play = Play
pause = Pause
play-clip = Play { $name }
pause-clip = Pause { $name }
position = Position
speed = Speed { $speed }
cannot-be-played = Cannot be played here
playing-from = Playing from { $name }
stop-playing = Stop playing
