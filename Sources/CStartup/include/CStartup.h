// What the command does before its libraries start; linking it is all there is to do.
#pragma once
